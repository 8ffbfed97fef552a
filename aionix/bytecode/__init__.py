"""The code format: instructions, chunks, and how to read them.

Enters: what the compiler emits. Leaves: `Lambda`s, the only form of code that the VM, the compiled
tier and the disassembler know, and that `image` and `cache` keep on the disk. This room knows
nothing of syntax or of evaluation.
"""
