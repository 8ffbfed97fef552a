"""What each construct is compiled to, as short disassemblies.

A line is an instruction with its operand; the code of a thunk or function stands indented under the
instruction that makes it.
"""

from __future__ import annotations

import pytest

from aionix.bytecode.chunk import Chunk, Global, Instruction, Lambda, instructions
from aionix.bytecode.opcodes import Op, Operand
from aionix.compiler import compile_expression
from aionix.compiler.emit import MAX_INLINE_BRANCH
from aionix.source import SourceMap
from aionix.syntax import parse

GLOBALS = frozenset(["true", "false", "null", "builtins", "map", "__sub", "__lessThan"])


def compiled(text: str, name: str = "/dir/file.nix") -> Lambda:
    source = SourceMap().add(name, text)
    result = compile_expression(parse(source), source, global_names=GLOBALS, base_dir="/dir")
    assert result.errors == []
    assert result.code is not None
    return result.code


def code(text: str) -> str:
    """The listing of `text`, without the final Return."""
    return "\n".join(listing(compiled(text).chunk)[:-1])


def listing(chunk: Chunk, indent: str = "") -> list[str]:
    lines = []
    for instruction in instructions(chunk):
        lines.append(indent + line(chunk, instruction))
        constant = chunk.constants[instruction.arg] if instruction.op.operand is Operand.CLOSURE else None
        if isinstance(constant, Lambda):
            lines += listing(constant.chunk, indent + "  ")
    return lines


def line(chunk: Chunk, instruction: Instruction) -> str:
    op, arg = instruction.op, instruction.arg
    label = op.label.removeprefix("Op")
    if op is Op.CONSTANT:
        return f"{label} {constant(chunk.constants[arg])}"
    if op.operand is Operand.JUMP:
        return f"{label} +{arg - instruction.end}"
    if op.operand is Operand.CLOSURE:
        marks = ["^" if p.is_upvalue else "?" if p.is_deferred else "" for p in instruction.positions]
        where = [f"{mark}{p.index}" for mark, p in zip(marks, instruction.positions, strict=True)]
        return " ".join([label, *where, *(["with"] if instruction.captures_with else [])])
    return label if op.operand is Operand.NONE else f"{label} {arg}"


def constant(value: object) -> str:
    return value.name if isinstance(value, Global) else str(getattr(value, "text", repr(value)))


def block(text: str) -> str:
    lines = text.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join([one[margin:].rstrip() for one in lines]).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "Constant 1"),
        ("1.5", "Constant 1.5"),
        ('""', "Constant ''"),
        ('"a"', "Constant 'a'"),
        ("/a/../b", "Constant /b"),
        ("./x", "Constant /dir/x"),
        ("../x", "Constant /x"),
        ("true", "Constant true; Force"),
        ("[ ]", "List 0"),
        ("{ }", "Attrs 0"),
        ("<a/b>", "Constant 'a/b'; FindFile"),
        ("~/a", "Constant '~/a'; ResolveHomePath"),
        ("1 + 2 * 3", "Constant 1; Constant 2; Constant 3; Mul; Add"),
        ("1 - 2 / 3", "Constant 1; Constant 2; Constant 3; Div; Sub"),
        ("1 == 2", "Constant 1; Constant 2; Equal"),
        ("1 != 2", "Constant 1; Constant 2; Equal; Invert"),
        ("1 < 2", "Constant 1; Constant 2; Less"),
        ("1 <= 2", "Constant 2; Constant 1; MoreOrEq"),
        ("1 > 2", "Constant 2; Constant 1; Less"),
        ("1 >= 2", "Constant 1; Constant 2; MoreOrEq"),
        ("[ ] ++ [ 1 ]", "List 0; Constant 1; List 1; Concat"),
        ("{ } // { }", "Attrs 0; Attrs 0; AttrsUpdate"),
        ("!null", "Constant null; Force; Invert"),
        ("-(1)", "Constant 1; Negate"),
        ("map 1 2", "Constant 2; Constant 1; Constant map; Force; Call; Call"),
        ('"a${"b"}c"', "Constant 'a'; Constant 'b'; CoerceToString 2; Constant 'c'; Interpolate 3"),
        ('"${null}"', "Constant null; Force; CoerceToString 2"),
        ('/a/b${"c"}', "Constant /a/b; Constant 'c'; CoerceToString 0; Add"),
        ('/a/${"c"}', "Constant /a; Constant '/'; Constant 'c'; CoerceToString 0; Interpolate 2; Add"),
        ("{ }.a", "Attrs 0; Constant 'a'; AttrsSelect; Force"),
        ("{ }.a.b", "Attrs 0; Constant 'a'; AttrsSelect; Force; Constant 'b'; AttrsSelect; Force"),
        ('{ }.${"a" + "b"}', "Attrs 0; Constant 'a'; Constant 'b'; Add; AttrsSelect; Force"),
        ("{ } ? a", "Attrs 0; Constant 'a'; HasAttr"),
        ("{ } ? a.b", "Attrs 0; Constant 'a'; AttrsTrySelect; Force; Constant 'b'; HasAttr"),
    ],
)
def test_an_expression_becomes(text: str, expected: str) -> None:
    assert code(text) == expected.replace("; ", "\n")


def test_select_with_a_default_jumps_out_of_every_step() -> None:
    assert code("{ }.a.b or 1") == block("""
        Attrs 0
        Constant 'a'
        AttrsTrySelect
        JumpIfNotFound +11
        Force
        Constant 'b'
        AttrsTrySelect
        JumpIfNotFound +4
        Force
        Jump +2
        Constant 1
    """)


def test_if_pops_the_condition_in_both_branches() -> None:
    assert code("if true then 1 else 2") == block("""
        Constant true
        Force
        JumpIfFalse +6
        Pop
        Constant 1
        Jump +3
        Pop
        Constant 2
    """)


def test_assert_fails_with_the_text_of_its_condition() -> None:
    assert code("assert 1 < 2; 3") == block("""
        Constant 1
        Constant 2
        Less
        JumpIfFalse +6
        Pop
        Constant 3
        Jump +4
        Pop
        Constant "assertion '(__lessThan 1 2)' failed"
        AssertFail
    """)


def test_assert_keeps_what_should_be_equal_to_tell_how_it_differs() -> None:
    assert code("assert 1 == 2; 3") == block("""
        Constant 1
        Constant 2
        GetLocal 0
        GetLocal 1
        Equal
        JumpIfFalse +8
        Pop
        Pop
        Pop
        Constant 3
        Jump +6
        Pop
        Constant "assertion '(1 == 2)' failed"
        List 3
        AssertFail
    """)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("&&", "JumpIfFalse +5; Pop; Constant builtins; Force; AssertBool"),
        ("||", "JumpIfTrue +5; Pop; Constant builtins; Force; AssertBool"),
        ("->", "Invert; JumpIfTrue +5; Pop; Constant builtins; Force; AssertBool"),
    ],
)
def test_logic_jumps_over_its_right_side(operator: str, expected: str) -> None:
    assert code(f"null {operator} builtins") == f"Constant null\nForce\n{expected}".replace("; ", "\n")


def test_what_is_a_boolean_for_certain_is_not_checked() -> None:
    assert "AssertBool" not in code("null && 1 == 2 && { } ? a && !null && (null || 1 != 2)")


def test_neutral_operands_leave_the_checked_other_side() -> None:
    assert code("true && null") == code("null || false") == "Constant null\nForce\nAssertBool"


@pytest.mark.parametrize("item", ["1", "1.5", '"a"', '""', "./a", "[ ]", "true", "builtins"])
def test_what_needs_no_work_is_no_thunk(item: str) -> None:
    assert "Thunk" not in code(f"[ ({item}) ]")


@pytest.mark.parametrize(
    "item",
    ["1 + 1", "-1", '"${"a"}"', "[ 1 ]", "{ }", "builtins.a", "map 1", "if true then 1 else 2", "__curPos"],
)
def test_everything_else_is_a_thunk(item: str) -> None:
    assert "ThunkSuspended" in code(f"[ ({item}) ]")


def test_a_function_looks_unevaluated_where_it_is_not_needed_yet() -> None:
    assert code("[ (x: 1) ]").startswith("ThunkClosure")
    assert code("x: 1").startswith("Closure")


def test_let_reads_what_is_there_and_closes_its_scope() -> None:
    assert code("let a = 1; b = a; in b") == block("""
        Constant 1
        GetLocal 0
        GetLocal 1
        Force
        CloseScope 2
    """)


def test_let_defers_what_is_not_there_yet() -> None:
    assert code("let a = b; b = 1; in a") == block("""
        ThunkSuspended ?1
          GetUpvalue 0
          Force
          Return
        Constant 1
        Finalise 0
        GetLocal 0
        Force
        CloseScope 2
    """)


def test_slots_count_from_what_is_on_the_stack_already() -> None:
    assert code("1 + (let a = 2; in a)") == block("""
        Constant 1
        Constant 2
        GetLocal 1
        Force
        CloseScope 1
        Add
    """)


def test_a_function_captures_itself() -> None:
    assert code("let f = x: f x; in f") == block("""
        ThunkClosure ?0
          GetLocal 0
          GetUpvalue 0
          Force
          Call
          Return
        Finalise 0
        GetLocal 0
        Force
        CloseScope 1
    """)


def test_an_inner_function_is_a_closure_at_once_and_captures_through_frames() -> None:
    assert code("x: y: [ x y ]") == block("""
        Closure
          Closure 0
            GetUpvalue 0
            GetLocal 0
            List 2
            Return
          Return
    """)


def test_a_recursive_set_refers_to_its_value_slots() -> None:
    assert code("rec { a = b; b = 1; c = b; }") == block("""
        Constant 'a'
        ThunkSuspended ?3
          GetUpvalue 0
          Force
          Return
        Constant 'b'
        Constant 1
        Constant 'c'
        GetLocal 3
        Finalise 1
        Attrs 3
    """)


def test_dynamic_names_come_after_the_rest_is_final() -> None:
    assert code('rec { ${a} = a; a = "n"; }') == block("""
        Constant 'a'
        Constant 'n'
        GetLocal 1
        Force
        GetLocal 1
        Attrs 2
    """)
    finalise_first = code("rec { ${a} = 1; a = b; b = null; }").splitlines()
    assert finalise_first.index("Finalise 1") < finalise_first.index("GetLocal 1")


def test_inherit_from_shares_one_hidden_source() -> None:
    assert code("{ inherit (map 1) a b; }") == block("""
        ThunkSuspended
          Constant 1
          Constant map
          Force
          Call
          Return
        Constant 'a'
        ThunkSuspended 0
          GetUpvalue 0
          Force
          Constant 'a'
          AttrsSelect
          Force
          Return
        Constant 'b'
        ThunkSuspended 0
          GetUpvalue 0
          Force
          Constant 'b'
          AttrsSelect
          Force
          Return
        Attrs 2
        CloseScope 1
    """)


def test_inherit_reads_the_variable_around() -> None:
    assert code("let a = 1; in rec { b = a; inherit a; }") == block("""
        Constant 1
        Constant 'a'
        GetLocal 0
        Constant 'b'
        GetLocal 2
        Attrs 2
        CloseScope 1
    """)


def test_with_is_searched_only_for_unknown_names() -> None:
    assert code("with { }; let a = 1; in [ a b ]") == block("""
        ThunkSuspended
          Attrs 0
          Return
        PushWith 0
        Constant 1
        GetLocal 1
        ThunkSuspended with
          Constant 'b'
          ResolveWith
          Force
          Return
        List 2
        CloseScope 1
        PopWith
        CloseScope 1
    """)


def test_a_with_variable_is_read_in_place_where_its_value_is_needed() -> None:
    assert "Constant 'b'\nResolveWith\nForce" in code("with { }; b")


def test_a_pattern_is_unpacked_to_slots() -> None:
    assert code("{ a, b ? 1, c ? d, d ? 2 }@all: a") == block("""
        Closure
          Force
          AssertAttrs
          ValidateClosedFormals
          GetLocal 0
          Constant 'a'
          AttrsSelect
          GetLocal 0
          Constant 'b'
          AttrsTrySelect
          JumpIfNotFound +3
          Jump +2
          Constant 1
          GetLocal 0
          Constant 'c'
          AttrsTrySelect
          JumpIfNotFound +3
          Jump +4
          ThunkSuspended ?4
            GetUpvalue 0
            Force
            Return
          GetLocal 0
          Constant 'd'
          AttrsTrySelect
          JumpIfNotFound +3
          Jump +2
          Constant 2
          Finalise 3
          GetLocal 1
          Force
          Return
    """)


def test_old_let_selects_body() -> None:
    assert code("let { body = 1; }") == block("""
        Constant 'body'
        Constant 1
        Attrs 1
        Constant 'body'
        AttrsSelect
        Force
    """)


def test_operators_call_what_the_program_binds_to_their_functions() -> None:
    listed = code("let __lessThan = a: b: 1; in 1 >= 2").splitlines()
    call = listed.index("Constant 2")
    expected = ["Constant 2", "Constant 1", "GetLocal 0", "Force", "Call", "Call", "Invert"]
    assert listed[call : call + 7] == expected
    assert "Less" not in listed


def test_a_search_path_calls_the_programs_find_file() -> None:
    assert "FindFile" not in code("let __findFile = a: b: 1; __nixPath = [ ]; in <a>")


def test_the_current_position_is_a_set_in_files_and_null_elsewhere() -> None:
    constants = compiled("\n __curPos").chunk.constants
    assert constants == ["file", "/dir/file.nix", "line", 2, "column"]
    assert compiled("__curPos", name="«string»").chunk.constants == [None]


def test_overrides_replace_what_the_other_attributes_refer_to() -> None:
    assert "AttrsUpdate" in code("rec { __overrides = { a = 2; }; a = 1; b = a; }")
    assert "AttrsUpdate" not in code("{ __overrides = { a = 2; }; a = 1; }")


def test_a_branch_too_large_to_jump_over_is_a_thunk_that_is_forced() -> None:
    listed = [one for one in code(f"if true then [ {'map ' * 3000}] else 2").splitlines() if one[0] != " "]
    assert listed[3:6] == ["Pop", "ThunkSuspended", "Force"]


@pytest.mark.parametrize("item", ["(-x)", "(x?a)", "x", "(a:a)", "(<a>)", "{}"])
def test_what_is_jumped_over_fits_a_jump_up_to_the_limit(item: str) -> None:
    branch = "[" + f"{item} " * ((MAX_INLINE_BRANCH - 2) // (len(item) + 1)) + "]"
    names = " ".join([f"a{index} = 1;" for index in range(200)])
    listed = code(f"let {names} x = 1; in if true then {branch} else 1").splitlines()
    assert "  List" not in "\n".join(listed)


def test_names_of_functions_and_attributes_are_kept() -> None:
    chunk = compiled("{ f = x: y: x; a = 1 + 1; b.c = 2; }").chunk
    lambdas = {value.name: value for value in chunk.constants if isinstance(value, Lambda)}
    assert [(name, value.kind) for name, value in lambdas.items()] == [
        ("f", "function"),
        ("a", "thunk"),
        ("b", "thunk"),
    ]
    inner = [value for value in lambdas["f"].chunk.constants if isinstance(value, Lambda)]
    assert inner[0].name == "f"


def test_a_function_knows_its_formals_in_source_order() -> None:
    function = compiled("{ b, a ? 1, ... }@rest: b").chunk.constants[0]
    assert isinstance(function, Lambda)
    assert function.parameter == "rest"
    assert function.formals is not None
    assert list(function.formals.names.items()) == [("b", False), ("a", True)]
    assert function.formals.ellipsis


def test_attributes_know_where_they_were_written() -> None:
    text = '{ a = 1; b.c = 2; inherit (map) d; ${"e" + "f"} = 3; }'
    sources = SourceMap()
    source = sources.add("/f.nix", text)
    result = compile_expression(parse(source), source, global_names=GLOBALS, base_dir="/")
    assert result.code is not None
    (spans,) = result.code.chunk.attr_spans.values()
    assert [span and text[span.start - 1] for span in spans] == ["a", "b", "d", "$"]


def test_the_compiler_gives_others_a_turn() -> None:
    turns: list[None] = []
    source = SourceMap().add("f", "[" + " (1 + 1)" * 1000 + "]")
    compile_expression(
        parse(source), source, global_names=GLOBALS, base_dir="/", checkpoint=lambda: turns.append(None)
    )
    assert len(turns) >= 10
