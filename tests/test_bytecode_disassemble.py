"""Code as people read it."""

from aionix.bytecode.disassemble import disassemble
from aionix.compiler import compile_expression
from aionix.source import SourceMap
from aionix.syntax import parse


def listing(text: str, lines: bool = True) -> str:
    sources = SourceMap()
    source = sources.add("f", text)
    code = compile_expression(parse(source), source, global_names=frozenset(["map"]), base_dir="/").code
    assert code is not None
    return disassemble(code, sources if lines else None)


def test_a_line_has_offset_source_line_and_instruction() -> None:
    assert listing('let x =\n "a";\nin map x') == (
        "=== toplevel, 0 upvalues ===\n"
        '0\t   2\tOpConstant("a"@0)\n'
        "2\t   3\tOpGetLocal(0)\n"
        "4\t   |\tOpConstant(global map@1)\n"
        "6\t   |\tOpForce\n"
        "7\t   |\tOpCall\n"
        "8\t   1\tOpCloseScope(1)\n"
        "a\t   |\tOpReturn\n"
    )


def test_jumps_show_their_target() -> None:
    assert "OpJumpIfFalse(6 -> c)" in listing("if map then 1 else 2", lines=False)


def test_lambdas_follow_the_code_that_makes_them() -> None:
    text = listing("let f = x: [ (f x) ]; in f", lines=False)
    titles = [line for line in text.splitlines() if line.startswith("===")]
    assert titles == [
        "=== toplevel, 0 upvalues ===",
        "=== function 'f', 1 upvalues ===",
        "=== thunk, 2 upvalues ===",
    ]
    assert "OpThunkClosure(BP @ 0 'f', 1 upvalues, deferred local 0)" in text
    assert "OpThunkSuspended(BP @ 0, 2 upvalues, local 0, upvalue 0)" in text


def test_a_capture_of_withs_is_shown() -> None:
    assert "captures with, 0 upvalues" in listing("with map; [ x ]", lines=False)


def test_constants_are_shown_as_nix_writes_them() -> None:
    text = listing('[ 1 1.5 "a\\nb" /p "%s" ]' % ("x" * 60), lines=False)
    for shown in ("(1@0)", "(1.5@1)", '("a\\nb"@2)', "(/p@3)", '("' + "x" * 39 + '…"@4)'):
        assert shown in text
