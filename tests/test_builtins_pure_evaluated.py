"""Builtins as Nix code sees them: what is forced and when, messages, traces, positions."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from aionix.errors import Abort, NixError, StackOverflow, Throw
from aionix.evaluation import Evaluation
from aionix.values.printing import show
from io_backends import Memory

pytestmark = pytest.mark.anyio


class Session:
    """An evaluation that keeps its messages."""

    def __init__(self, files: dict[str, bytes] | None = None, depth: int = 10_000) -> None:
        self.messages: list[str] = []
        builder = Evaluation.builder(Memory(files or {})).trace(self.messages.append)
        self.evaluation = builder.max_call_depth(depth).build()

    async def show(self, code: str) -> str:
        return show((await self.evaluation.evaluate(code, base_dir="/")).unwrap().raw)


async def lazily(code: str) -> str:
    return await Session().show(code)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("map (x: x) [ 1 ]", "[ <CODE> ]"),
        ("builtins.genList (x: x) 2", "[ <CODE> <CODE> ]"),
        ("builtins.mapAttrs (n: v: v) { a = 1; }", "{ a = <CODE>; }"),
        ("builtins.zipAttrsWith (n: v: v) [ { a = 1; } ]", "{ a = <CODE>; }"),
        ("builtins.filter (x: true) [ (1 + 1) ]", "[ <CODE> ]"),
        ('builtins.groupBy (x: "a") [ (1 + 1) ]', "{ a = [ <CODE> ]; }"),
        ("builtins.partition (x: true) [ (1 + 1) ]", "{ right = [ 2 ]; wrong = [ ]; }"),
        ("builtins.sort (a: b: true) [ (1 + 1) (2 + 1) ]", "[ 3 2 ]"),
        ("builtins.concatMap (x: [ (x + 1) ]) [ 1 ]", "[ <CODE> ]"),
        ("builtins.tryEval [ (1 + 1) ]", "{ success = true; value = [ <CODE> ]; }"),
        ("builtins.seq 1 [ (1 + 1) ]", "[ <CODE> ]"),
        ("let x = [ (1 + 1) ]; in builtins.deepSeq x x", "[ 2 ]"),
        ("builtins.functionArgs ({ a, b ? 1 }: a)", "{ a = false; b = true; }"),
        ("builtins.functionArgs builtins.map", "{ }"),
    ],
)
async def test_what_is_evaluated(code: str, shown: str) -> None:
    assert await lazily(code) == shown


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('map (throw "f") (throw "l")', "l"),
        ('builtins.filter (throw "f") (throw "l")', "l"),
        ('builtins.sort (throw "f") (throw "l")', "l"),
        ('builtins.elem (throw "x") (throw "l")', "l"),
        ('builtins.all (throw "f") (throw "l")', "f"),
        ('builtins.concatMap (throw "f") [ ]', "f"),
        ('builtins.foldl\' (throw "f") (throw "z") (throw "l")', "f"),
        ('builtins.foldl\' (a: b: b) (throw "z") [ ]', "z"),
        ('builtins.elemAt (throw "l") (throw "n")', "n"),
        ('builtins.genList (throw "f") (throw "n")', "n"),
        ('builtins.mapAttrs (throw "f") (throw "s")', "s"),
        ('builtins.zipAttrsWith (throw "f") (throw "l")', "f"),
        ('builtins.sort builtins.lessThan [ (throw "a") (throw "b") ]', "a"),
        ('builtins.replaceStrings [ (throw "f") ] [ (throw "t") ] (throw "s")', "f"),
        ('builtins.replaceStrings [ "a" ] [ (throw "t") ] "a"', "t"),
        ('builtins.trace (throw "a") (throw "b")', "a"),
        ('builtins.addErrorContext (throw "c") (throw "x")', "c"),
    ],
)
async def test_what_is_evaluated_first(code: str, message: str) -> None:
    with pytest.raises(Throw) as caught:
        await lazily(code)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ('builtins.foldl\' (a: b: b) (throw "z") [ 1 ]', "1"),
        ('builtins.elem (throw "x") [ ]', "false"),
        ('builtins.replaceStrings [ "a" ] [ (throw "t") ] "b"', '"b"'),
        ('builtins.length (builtins.genList (x: throw "x") 3)', "3"),
        ('builtins.traceVerbose (throw "m") 1', "1"),
        ('builtins.addErrorContext (throw "c") 1', "1"),
    ],
)
async def test_what_is_never_evaluated(code: str, shown: str) -> None:
    assert await lazily(code) == shown


async def test_try_eval_catches_throws_and_assertions_only() -> None:
    code = 'map (x: (builtins.tryEval x).success) [ 1 (throw "a") (assert false; 2) <nowhere> ]'
    assert await lazily(f"let s = {code}; in builtins.deepSeq s s") == "[ true false false false ]"
    for other in ('abort "x"', '1 + "a"', "{ }.a", "builtins.head [ ]"):
        with pytest.raises(NixError):
            await lazily(f"builtins.tryEval ({other})")


async def test_an_error_that_was_caught_leaves_no_depth_behind() -> None:
    deep = 'let f = n: if n == 0 then throw "x" else 1 + f (n - 1); in '
    tries = (
        "builtins.foldl' (a: n: (builtins.tryEval (f 700)).success || a) false (builtins.genList (x: x) 9)"
    )
    assert await Session(depth=1000).show(deep + tries) == "false"


async def test_abort_says_so() -> None:
    with pytest.raises(Abort) as caught:
        await lazily('abort "gone"')
    assert caught.value.message == "evaluation aborted with the following error message: 'gone'"


async def test_error_context_is_part_of_the_trace() -> None:
    with pytest.raises(Throw) as caught:
        await lazily(
            'builtins.addErrorContext "outer ${toString 1}" (builtins.addErrorContext "inner" (throw "x"))'
        )
    messages = [frame.message for frame in caught.value.frames]
    assert messages.index("inner") < messages.index("outer 1")


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('"x\\"y\\nz"', 'trace: x"y\nz'),
        ("[ 1 (1 + 1) ]", "trace: [ 1 «thunk» ]"),
        ('{ type = "a"; b = 1; }', 'trace: { b = 1; type = "a"; }'),
        (
            "let l = builtins.genList (x: x) 12; in builtins.deepSeq l l",
            "trace: [ 0 1 2 3 4 5 6 7 8 9 10 11 ]",
        ),
        ("builtins.add 1", "trace: «partially applied primop add»"),
    ],
)
async def test_trace_prints_what_is_known(message: str, line: str) -> None:
    session = Session()
    assert await session.show(f"builtins.trace ({message}) 1") == "1"
    assert session.messages == [line]


async def test_verbose_traces_are_for_those_who_want_them() -> None:
    session = Session()
    session.evaluation.host.trace_verbose = True
    assert await session.show('builtins.traceVerbose "a" 1') == "1"
    assert session.messages == ["trace: a"]


@pytest.mark.parametrize(
    ("message", "line"),
    [("a", "evaluation warning: a"), ("a \\nb\\n", "evaluation warning: a\n" + " " * 20 + "b"), ("", "")],
)
async def test_warnings_are_aligned(message: str, line: str) -> None:
    session = Session()
    assert await session.show(f'builtins.warn "{message}" 1') == "1"
    assert session.messages == [line]


async def test_a_warning_may_be_the_end() -> None:
    session = Session()
    session.evaluation.host.abort_on_warn = True
    with pytest.raises(Abort, match=r"^aborting to reveal stack trace of warning, as abort-on-warn is set$"):
        await session.show('builtins.tryEval (builtins.warn "a" (throw "b"))')
    assert session.messages == ["evaluation warning: a"]


FILE = b"""let s = { a = 1;
  b = 2; }; in {
  written = builtins.unsafeGetAttrPos "b" s;
  removed = builtins.unsafeGetAttrPos "b" (removeAttrs s [ "b" ]);
  mapped = builtins.unsafeGetAttrPos "b" (builtins.mapAttrs (n: v: v) s);
  formal = builtins.unsafeGetAttrPos "y" (builtins.functionArgs ({ x, y }: 1));
}
"""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("written", '{ column = 3; file = "/f.nix"; line = 2; }'),
        ("removed", "null"),
        ("mapped", "null"),
        ("formal", '{ column = 71; file = "/f.nix"; line = 6; }'),
    ],
)
async def test_positions_are_those_of_files(name: str, shown: str) -> None:
    session = Session({"f.nix": FILE})
    assert await session.show(f"let p = (import /f.nix).{name}; in builtins.deepSeq p p") == shown


async def test_text_has_no_positions() -> None:
    assert await lazily('builtins.unsafeGetAttrPos "a" { a = 1; }') == "null"


async def test_positions_are_counted_when_asked() -> None:
    session = Session({"f.nix": FILE})
    assert (
        await session.show("(import /f.nix).written")
        == '{ column = <CODE>; file = "/f.nix"; line = <CODE>; }'
    )


async def test_deep_recursion_through_builtins_is_an_error_not_a_crash() -> None:
    for code in (
        "let f = n: builtins.foldl' (a: b: f (n + 1)) 0 [ 1 ]; in f 0",
        "let f = n: builtins.head (builtins.sort (a: b: f (n + 1)) [ 1 2 ]); in f 0",
        "let f = n: builtins.concatMap f [ n ]; in f 0",
        "let f = n: builtins.elemAt (map f [ n ]) 0; in f 0",
    ):
        with pytest.raises(StackOverflow):
            await Session(depth=1000).show(code)


async def test_long_lists_leave_time_for_others() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    code = "let l = builtins.genList (x: x) 100000; in builtins.length (builtins.sort builtins.lessThan l)"
    async with anyio.create_task_group() as group:
        group.start_soon(count_turns)
        assert await lazily(code) == "100000"
        group.cancel_scope.cancel()
    assert turns >= 5  # there is at least one every 5 ms of at least 50
