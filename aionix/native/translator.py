"""Bytecode to Python, by running it on a stack of names instead of values: the front door.

Each instruction becomes a line or two; what it leaves on the stack is the name of the variable, or a short
expression, that has its value.
"""

from __future__ import annotations

from aionix.bytecode.chunk import Native
from aionix.native import attributes, branches, calls, closures, operators, variables  # noqa: F401 # they register
from aionix.native.context import MAX_INSTRUCTIONS, EndsInItself, Text, Translator
from aionix.native.writer import Untranslatable
from aionix.values.thunk import Value
from aionix.vm.engine import Compiled, Unit
from aionix.vm.linking import link, packed

#: Much more than for code that is hot: what builds a set of thousands of packages should be kept too.
MAX_KEPT_INSTRUCTIONS = 100_000
#: Where an event loop goes on meanwhile: an instruction takes up to 40 us, in which nothing else runs.
MAX_INSTRUCTIONS_BESIDE_A_LOOP = 300


def translate(unit: Unit, upvalues: tuple[Value, ...]) -> Compiled | None:
    """Python code for `unit`, which has run with `upvalues`; None where that cannot or need not be."""
    text = _text(unit, upvalues, False, MAX_INSTRUCTIONS)
    return None if text is None else Compiled(text.code, link(unit, text.recipes))


def translate_to_keep(unit: Unit, limit: int) -> Native | None:
    """Python code for `unit`, which has run, that later processes can run; None where that cannot be."""
    text = _text(unit, unit.sample, True, limit)
    return None if text is None else Native(text.code, *packed(text.recipes), text.shape)


def _text(unit: Unit, upvalues: tuple[Value, ...], portable: bool, limit: int) -> Text | None:
    try:
        try:
            return Translator(unit, upvalues, portable, limit).translate()
        except EndsInItself:
            return Translator(unit, upvalues, portable, limit, loop=True).translate()
    except Untranslatable:
        return None
