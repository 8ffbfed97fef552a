"""Bytecode to Python, by running it on a stack of names instead of values: the front door.

Each instruction becomes a line or two; what it leaves on the stack is the name of the variable, or a short
expression, that has its value.
"""

from __future__ import annotations

from aionix.native import attributes, branches, calls, operators, variables  # noqa: F401 # they register
from aionix.native.context import Translator
from aionix.native.writer import Untranslatable
from aionix.values.thunk import Value
from aionix.vm.engine import Compiled, Unit


def translate(unit: Unit, upvalues: tuple[Value, ...]) -> Compiled | None:
    """Python code for `unit`, which has run with `upvalues`; None where that cannot or need not be."""
    try:
        return Translator(unit, upvalues).translate()
    except Untranslatable:
        return None
