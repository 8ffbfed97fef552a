"""What is compiled when it first runs means the same as if it had been compiled at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from aionix.bytecode.chunk import DeferredLambda, Lambda
from aionix.compiler import CompileResult, Text, compile_expression, context, resolver
from aionix.errors import NixError
from aionix.evaluation import Evaluation
from aionix.rendering import render
from aionix.source import SourceMap
from aionix.syntax import parse
from aionix.vm import machine
from io_backends import LocalDisk, Memory

pytestmark = pytest.mark.anyio

LANG = Path(__file__).parent / "lang"
GLOBALS = frozenset(["builtins", "map", "import"])
NEVER = 1 << 30


def compiled(text: str) -> CompileResult:
    source = SourceMap().add("/dir/file.nix", text)
    return compile_expression(parse(source), source, global_names=GLOBALS, base_dir="/dir")


def inside(code: Lambda) -> list[Lambda]:
    return [constant for constant in code.chunk.constants if isinstance(constant, Lambda)]


@pytest.fixture(params=[0, 28], ids=["all of it", "what is worth it"])
def worthwhile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    worth(request.param, monkeypatch)


def worth(size: int, patch: pytest.MonkeyPatch) -> None:
    """From that size on, all is compiled later."""
    patch.setattr(resolver, "WORTHWHILE", size)
    patch.setattr(resolver, "WORTHWHILE_IN_A_PIECE", size)
    patch.setattr(resolver, "SHORT", 0)


# The same value, and the same text of an error with its trace


async def outcome(path: Path) -> str:
    evaluation = Evaluation.builder(LocalDisk()).mode("strict").build()
    result = await evaluation.evaluate_file(path)
    if result.errors:
        return "".join([render(error, show_trace=True) for error in result.errors])
    return str(result.value)


@pytest.mark.parametrize("kind", ["eval-okay", "eval-fail"])
def test_every_program_of_the_language_tests(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in sorted(LANG.glob(f"{kind}-*.nix")):
        worth(NEVER, monkeypatch)
        at_once = anyio.run(outcome, path)
        worth(0, monkeypatch)
        assert anyio.run(outcome, path) == at_once, path.name


LONG = "some text that is worth to be compiled later"
#: Programs that are told apart by what a piece of them takes from around.
PROGRAMS = {
    "a set in two places": f'{{ a = {{ x = "{LONG}" + a_b; }}; a.y = 2; c = 1; }}'.replace("a_b", '"b"'),
    "a nested path with a long name": f"{{ {LONG.replace(' ', '_')}.b = 1 + 1; c = [ 1 2 3 4 5 6 7 8 9 10 ]; }}",
    "a name of a with": f'with {{ n = 1; }}; [ (n + builtins.stringLength "{LONG}") "{LONG}" "{LONG}" ]',
    "with inside with": "with { a = 1; b = 2; }; [ (with { b = 3; c = 4; }; [ a b c ]) (x: a + b + x) (with { a = 5; }; a + b) 1 2 3 ]",
    "an inherited name": "let a = 1; f = { b }: let inherit a; in [ a b a b a b ]; in [ (f { b = 2; }) 1 2 3 4 5 6 7 8 9 ]",
    "a useless inherit": "let a = 1; in [ (let inherit a; b = a + 1; in { inherit a b; }) 1 2 3 4 5 6 7 8 9 10 11 12 13 ]",
    "a source of inherit": "let s = { a = 1; b = 2; }; in { inherit (s // { a = 10 + 10 + 10 + 10; }) a b; c = [ 1 2 3 4 5 6 7 8 9 ]; }",
    "an operator that is bound": "let __sub = a: b: [ a b ]; in [ (5 - 3) (x: x - 1) (let y = 10 - 20 - 30; in y) (- 4) 1 2 3 4 ]",
    "overrides": "rec { a = 1; b = a + 1 + 1 + 1 + 1 + 1 + 1; __overrides = { a = 100; }; c = b + b + b + b + b + b; }",
    "a place": "[ (if true then __curPos.line + __curPos.column else 0) 1 2 3 4 5 6 7 8\n (map (x: __curPos.line) [ 1 2 ]) ]",
    "relative paths": "[ (toString (./. + ''/abc/def/ghi/jkl'')) (toString ./somewhere/else/entirely/x) 1 2 3 4 5 6 7 8 9 ]",
    "a default of a pattern": "let f = { a, b ? a + a + a + a + a + a + a, c ? b * 2 }: [ a b c ]; in [ (f { a = 1; }) (f { a = 1; c = 2; }) ]",
    "names of functions": "{ f = first: second: throw ''${toString first} and ${toString second}''; r = [ 1 2 3 4 5 6 7 8 9 10 ]; }.f 1 2",
    "recursion": "let even = n: if n == 0 then true else odd (n - 1); odd = n: if n == 0 then false else even (n - 1); in [ (even 10) (odd 10) ]",
    "a name bound again inside": "let x = 1; in [ (let y = x; x = 2; in [ x y x y x y x ]) (x: [ x x x x x x x x x x ]) x x x x x ]",
    "a large branch": f"if false then 1 else [ {'(1 + 2) ' * 2000} ]",
}


async def shown(program: str) -> str:
    evaluation = Evaluation.builder(Memory({})).mode("strict").build()
    result = await evaluation.evaluate(program, "/dir/main.nix")
    assert not [error for error in result.errors if error.code == "E000"]
    return str(result.value) if not result.errors else render(result.errors[0], show_trace=True)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
async def test_a_piece_has_what_it_takes_from_around(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shows = []
    for size in (NEVER, 28, 0):
        worth(size, monkeypatch)
        shows.append(await shown(program))
    assert shows[1:] == [shows[0], shows[0]]


# What is wrong is found at once, what never runs is not compiled


@pytest.mark.usefixtures("worthwhile")
def test_mistakes_are_found_at_once() -> None:
    result = compiled("{ a = x: y: [ x y nope ]; b = { c = 1 + 1 + 1; c = 2; }; d = [ 1 2 3 4 (z: z + zz) ]; }")
    assert [error.message for error in result.errors] == [
        "attribute 'c' already defined at /dir/file.nix:1:33",
        "undefined variable 'nope'",
        "undefined variable 'zz'",
    ]


def test_remarks_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{ a = let unused = 1; in { b = map: let { body = map; }; c = true && builtins; }; d = [ 1 2 3 ]; }"
    told = []
    for size in (NEVER, 28, 0):
        worth(size, monkeypatch)
        told.append([(each.code, each.span) for each in compiled(text).warnings])
    assert told[0]
    assert told[1:] == [told[0], told[0]]


def test_what_never_runs_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    worth(28, monkeypatch)
    code = compiled(f'{{ a = x: "{LONG}" + x; b = [ "{LONG}" (1 + 1) ]; c = 1 + 1; }}').code
    assert code is not None
    later = [each for each in inside(code) if isinstance(each, DeferredLambda)]
    assert [each.name for each in later] == ["a", "b"]
    assert [each.written for each in later] == [False, False]
    assert later[1].chunk.code
    assert [each.written for each in later] == [False, True]


def test_no_text_is_parsed_again_more_than_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    worth(0, monkeypatch)
    texts: list[int] = []
    later = Text.later

    def counted(self: Text, code: Lambda, names: tuple[str, ...]) -> object:
        texts.append(code.span.end - code.span.start)
        return later(self, code, names)

    monkeypatch.setattr(Text, "later", counted)
    text = "1"
    for depth in range(12):
        text = f"[ (x{depth}: {text}) (x{depth}: {text}) ]"
    code = compiled(text).code
    assert code is not None
    pending = [code]
    while pending:
        pending += inside(pending.pop())
    assert sum(texts) < 12 * len(text)  # each level is at most half of the one around


async def test_cancelled_while_a_piece_is_compiled_it_can_be_compiled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worth(28, monkeypatch)
    piece = " ".join([f"(let a{n} = n: n + {n}; in a{n} {n})" for n in range(30)])
    program = f"let all = [ {piece} ]; in all ++ [ {'1 ' * len(piece)} ]"
    expected = await shown(program)
    for limit in range(5, 400, 13):
        evaluation = Evaluation.builder(Memory({})).mode("strict").build()
        held = (await evaluation.evaluate("x: x")).unwrap()
        with monkeypatch.context() as patch, anyio.CancelScope() as scope:
            patch.setattr(resolver, "NODES_PER_CHECKPOINT", 0)
            patch.setattr(context, "NODES_PER_CHECKPOINT", 0)
            patch.setattr(machine, "SLICE", -1.0)
            patch.setattr("aionix.vm.machine.one_pass", cancelling(scope, limit))
            await evaluation.evaluate(program, "/dir/main.nix")
        assert scope.cancelled_caught
        assert str((await evaluation.evaluate(program, "/dir/main.nix")).unwrap()) == expected
        assert str(await held.call(1)) == "1"


def cancelling(scope: anyio.CancelScope, limit: int) -> Callable[[], object]:
    count = 0

    async def checkpoint() -> None:
        nonlocal count
        count += 1
        if count == limit:
            scope.cancel()
        await anyio.lowlevel.checkpoint()

    return checkpoint


# In the code cache


FILE = f'{{ a = x: x + "{LONG}"; b = [ "{LONG}" (y: y) ]; c = throw "{LONG}" + "!"; d = 1; }}'


async def kept(tmp_path: Path, attribute: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """What `attribute` of the file comes to in a new process, as far as code is concerned, and how many
    pieces were compiled for it."""
    count = 0
    later = Text.later

    def counted(self: Text, code: Lambda, names: tuple[str, ...]) -> object:
        nonlocal count
        count += 1
        return later(self, code, names)

    builder = Evaluation.builder(Memory({"f.nix": FILE})).mode("strict").code_cache(tmp_path / "code")
    evaluation = builder.build()
    with monkeypatch.context() as patch:
        patch.setattr(Text, "later", counted)
        result = await evaluation.evaluate(f"(import /f.nix).{attribute}")
        await anyio.to_thread.run_sync(saved)
    shows = str(result.value) if not result.errors else render(result.errors[0], show_trace=True)
    return shows, count


def saved() -> None:
    for thread in threading.enumerate():
        if thread.name == "aionix code cache":
            thread.join()


async def test_the_cache_keeps_what_was_compiled_and_learns_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worth(28, monkeypatch)
    asked = ["b", "b", "c", 'a ""', "b", "c", 'a ""']
    came = [await kept(tmp_path, attribute, monkeypatch) for attribute in asked]
    assert [count for _, count in came] == [1, 0, 1, 1, 0, 0, 0]
    fresh = {one: await kept(tmp_path / str(n), one, monkeypatch) for n, one in enumerate(asked)}
    assert [shows for shows, _ in came] == [fresh[one][0] for one in asked]


def test_errors_are_the_programs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    worth(0, monkeypatch)
    with pytest.raises(NixError) as caught:
        anyio.run(strictly, f'[ 1 2 3 4 5 6 7 8 9 (throw "{LONG}") 10 11 12 13 14 15 16 17 18 19 20 21 22 23 ]')
    assert caught.value.message == LONG


async def strictly(program: str) -> str:
    evaluation = Evaluation.builder(Memory({})).mode("strict").build()
    return str((await evaluation.evaluate(program)).unwrap())
