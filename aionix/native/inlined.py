"""Builtins that are a line of Python once their arguments are evaluated: written out where they are called.

Whatever is not so simple, and all that is wrong, is left to the builtin itself.
"""

from __future__ import annotations

from typing import NamedTuple

from aionix.native.context import Translator
from aionix.values.limits import LARGE


class Line(NamedTuple):
    """`value` of the arguments, `{0}`, `{1}` and `{2}`, if `test` is true. `element`: it may be a thunk.
    `kind`: the type of the result, either way, where that is certain."""

    test: str
    value: str
    element: bool = False
    kind: str | None = None


def _question(value: str) -> Line:
    return Line("type({0}) is not list", value, kind="bool")


_INTS = "type({0}) is type({1}) is int"


def _exact(sign: str, limit: int) -> Line:
    """An operation on integers under `limit`: it does not overflow."""
    small = f"-{limit} < {{0}} < {limit} and -{limit} < {{1}} < {limit}"
    return Line(f"{_INTS} and {small}", f"{{0}} {sign} {{1}}")


LINES = {
    "add": _exact("+", 2**62),
    "bitAnd": Line(_INTS, "{0} & {1}", kind="int"),
    "bitOr": Line(_INTS, "{0} | {1}", kind="int"),
    "bitXor": Line(_INTS, "{0} ^ {1}", kind="int"),
    "div": Line(_INTS + " and 0 <= {0} and 0 < {1}", "{0} // {1}"),
    "lessThan": Line(_INTS, "{0} < {1}", kind="bool"),
    "mul": _exact("*", 2**31),
    "sub": _exact("-", 2**62),
    "isAttrs": _question("type({0}) is AttrSet"),
    "isBool": _question("type({0}) is bool"),
    "isFloat": _question("type({0}) is float"),
    "isFunction": _question("type({0}) in FUNCTIONS"),
    "isInt": _question("type({0}) is int"),
    "isList": _question("type({0}) is tuple"),
    "isNull": _question("{0} is None"),
    "isPath": _question("type({0}) is Path"),
    "isString": _question("isinstance({0}, str)"),
    "length": Line("type({0}) is tuple", "len({0})", kind="int"),
    "head": Line("type({0}) is tuple and {0}", "{0}[0]", element=True),
    "elemAt": Line(
        "type({0}) is tuple and type({1}) is int and 0 <= {1} < len({0})", "{0}[{1}]", element=True
    ),
    "hasAttr": Line("type({0}) is str and type({1}) is AttrSet", "{0} in {1}", kind="bool"),
    "getAttr": Line("type({0}) is str and type({1}) is AttrSet and {0} in {1}", "{1}[{0}]", element=True),
    "stringLength": Line("type({0}) is str and {0}.isascii()", "len({0})", kind="int"),
    "substring": Line(
        "type({0}) is type({1}) is int and type({2}) is str and 0 <= {0} and 0 <= {1}"
        f" and len({{2}}) < {LARGE} and {{2}}.isascii()",
        "{2}[{0}:{0} + {1}]",
    ),
    "tail": Line("type({0}) is tuple and 0 < len({0}) < 4096", "{0}[1:]", kind="tuple"),
    "toString": Line("type({0}) is str or type({0}) is int", "str({0})"),
}


def written_out(t: Translator, name: str, line: Line, run: str, arguments: list[str], offset: int) -> None:
    """`name = run(*arguments)`; the arguments are variables or constants."""
    out = t.out
    texts = [_looked_through(t, text) for text in arguments]
    slow = f"{run}({', '.join(arguments)})"
    with out.block(f"if {line.test.format(*texts)}:"):
        out.line(f"{name} = {line.value.format(*texts)}")
        if line.element:
            with out.block(f"if type({name}) is list:"):
                out.line(f"{name} = {name}[1] if {name}[0] is None else {slow}", offset)
    with out.block("else:"):
        out.line(f"{name} = {slow}", offset)


def in_sequence(t: Translator, name: str, frame: str, arguments: list[str], offset: int) -> None:
    """`name = seq first second`: two forces, of which traces say what `frame` does."""
    out = t.out
    with out.block("try:"):
        for text in arguments:
            out.line(f"{name} = {text}")
            with out.block(f"if type({name}) is list:"):
                out.line(f"{name} = {name}[1] if {name}[0] is None else {name}[0]({name})", offset)
    with out.block("except NixError as error:"):
        out.line(f"error.add_frame({out.constant(frame)})", offset)
        out.line("raise", offset)


def _looked_through(t: Translator, text: str) -> str:
    """A variable with the value of what is given, if that is known."""
    if text in t.facts.forced.values():
        return text
    name = t.out.name()
    t.out.line(f"{name} = {text}")
    if not text.isidentifier():  # a constant
        return name
    with t.out.block(f"if type({name}) is list and {name}[0] is None:"):
        t.out.line(f"{name} = {name}[1]")
    return name
