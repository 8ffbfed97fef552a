"""The compiled tier: chunks that run often become Python functions.

translator   bytecode -> the text of a Python function, one instruction after the other
writer       the text: lines, names, constants, and which instruction each line belongs to
assemble     the text -> a code object with the constants in it

The text has names and numbers of our own only: what a program wrote (attribute names, strings) is put into
the finished code object as constants. Interpreted and compiled code may call each other at will, they
have the same meaning, errors and places of errors included.
"""
