"""The compiled tier: chunks that run often become Python functions.

translator   the front door: bytecode -> a code object
context      the state of a translation; how calls are counted
branches     ... of what jumps; variables, operators, attributes, calls: of everything else
operands     what is known of values while there are none
known        what is known of functions that are called
writer       the text: lines, names, constants, and which instruction each line belongs to
assemble     the text -> a code object with the constants in it

The text has names and numbers of our own only: what a program wrote (attribute names, strings) is put into
the finished code object as constants. Interpreted and compiled code may call each other at will, they
have the same meaning, errors and places of errors included.
"""
