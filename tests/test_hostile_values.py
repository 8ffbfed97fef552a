"""Programs that want too much end in an error, leave the event loop alive, and their values usable."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, TracebackType

import anyio
import greenlet
import pytest

import aionix
from aionix.builtins import encode, xml
from aionix.errors import NixError, OutOfMemory, StackOverflow
from aionix.evaluation import Evaluation, EvaluationBuilder
from aionix.values import arithmetic, coercion, deep, equality, limits
from aionix.values.thunk import force, native
from aionix.vm.machine import CALLS_PER_FIBER
from io_backends import Sealed

pytestmark = pytest.mark.anyio

slow = pytest.mark.skipif(not os.environ.get("AIONIX_SLOW_TESTS"), reason="needs AIONIX_SLOW_TESTS")
ANY_DEPTH = 10**9


def builder() -> EvaluationBuilder:
    return Evaluation.builder(Sealed())


async def error_of(code: str, evaluation: Evaluation | None = None) -> NixError:
    result = await (evaluation or builder().build()).evaluate(code)
    assert result.value is None
    return result.errors[0]


def doubled(step: str, start: str) -> str:
    return f"let d = n: s: if n == 0 then s else d (n - 1) ({step}); in d 60 ({start})"


# -- size


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be 2**28 long may be 2**12 long."""
    for module in (limits, arithmetic):
        monkeypatch.setattr(module, "LARGE", 2**12)
    monkeypatch.setattr(limits, "MAX_STRING", 2**12)
    monkeypatch.setattr(limits, "MAX_LIST", 2**12)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "code",
    [
        doubled("s + s", '"a"'),
        doubled('"${s}${s}"', '"a"'),
        doubled("s + s", "/a"),
        doubled("s ++ s", "[ 1 ]"),
        doubled("builtins.concatLists [ s s ]", "[ 1 ]"),
        doubled("builtins.concatMap (x: [ x x ]) s", "[ 1 ]"),
        doubled("builtins.concatStringsSep s [ s s ]", '"a"'),
        doubled('builtins.replaceStrings [ "a" ] [ "aa" ] s', '"a"'),
        doubled('builtins.replaceStrings [ "a" "b" ] [ "aa" "" ] s', '"a"'),
        "toString (" + doubled("[ s s ]", '"a"') + ")",
        "builtins.toJSON (" + doubled("[ s s ]", '"a"') + ")",
        "builtins.toXML (" + doubled("[ s s ]", '"a"') + ")",
        "let s = builtins.toJSON (builtins.genList (n: n) 500); l = [ s s s ]; in builtins.trace (builtins.deepSeq l l) 1",
    ],
)
async def test_what_doubles_for_ever_is_out_of_memory(code: str) -> None:
    error = await error_of(code)
    assert isinstance(error, OutOfMemory)
    assert error.code == "E049"
    assert error.span is not None


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "code",
    [
        'builtins.stringLength (builtins.concatStringsSep "a" (builtins.genList (n: "") 4097))',
        "builtins.length (builtins.genList (n: n) 2048 ++ builtins.genList (n: n) 2048)",
    ],
)
async def test_the_greatest_size_is_allowed(code: str) -> None:
    assert str((await builder().build().evaluate(code)).unwrap()) == "4096"


@pytest.mark.parametrize("size", ["9223372036854775807", "16777217", "(-1)"])
async def test_no_list_is_made_of_an_impossible_size(size: str) -> None:
    assert "cannot create list of size" in str(await error_of(f"builtins.genList (n: n) {size}"))


async def test_names_as_long_as_books_get_no_hint() -> None:
    long = "ab" * 100_000
    error = await error_of(f'{{ "{long}c" = 1; }}."{long}d"')
    assert error.hint is None


# -- depth


@pytest.mark.parametrize(
    ("module", "code"),
    [
        (equality, "let a = [ a ]; b = [ b ]; in a == b"),
        (equality, "let a = { x = a; }; b = { x = b; }; in a == b"),
        (equality, "let f = n: [ (f (n + 1)) ]; in f 0 == f 0"),
        (equality, "let a = [ a ]; b = [ b ]; in a < b"),
        (deep, "let f = n: { a = f (n + 1); }; in builtins.deepSeq (f 0) 1"),
        (coercion, "let l = [ l ]; in toString l"),
        (coercion, 'let s = { outPath = s; }; in "${s}"'),
        (coercion, 'let f = n: { __toString = self: f (n + 1); }; in "${f 0}"'),
        (encode, "let a = { x = a; }; in builtins.toJSON a"),
        (xml, "let a = [ a ]; in builtins.toXML a"),
    ],
)
async def test_endless_data_is_a_stack_overflow(
    module: ModuleType, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = {xml: "MAX_DEPTH", encode: "MAX_JSON_NESTING"}.get(module, "MAX_NESTING")
    monkeypatch.setattr(module, limit, 1000)
    error = await error_of(code)
    assert isinstance(error, StackOverflow)
    assert error.span is not None


@pytest.mark.parametrize(
    "code",
    [
        "let f = x: f (x + 1); in f 0",
        "let s = { __functor = self: x: s x; }; in s 1",
        "let s = { __functor = s; }; in s 1",
        "let s = { __functor = self: s; }; in s 1",
        "let f = n: builtins.tryEval (f (n + 1)); in f 0",
        "let f = n: builtins.deepSeq [ (f (n + 1)) ] 1; in f 0",
        "let f = n: builtins.sort (a: b: f n) [ 1 2 ]; in f 0",
        "let f = n: builtins.foldl' (a: b: f n) 0 [ 1 ]; in f 0",
        "let f = n: builtins.toJSON { a = f n; }; in f 0",
    ],
)
async def test_endless_recursion_is_a_stack_overflow(code: str) -> None:
    assert isinstance(await error_of(code, builder().max_call_depth(2000).build()), StackOverflow)


async def test_values_are_usable_after_an_overflow() -> None:
    evaluation = builder().max_call_depth(2000).build()
    functions = (
        await evaluation.evaluate("let f = n: if n == 0 then 0 else 1 + f (n - 1); in { inherit f; }")
    ).unwrap()
    f = await functions.get("f")
    with pytest.raises(StackOverflow):
        await f.call(5000)
    assert str(await f.call(1500)) == "1500"


def _frames_on_this_fiber(_: int) -> int:
    frame, count = sys._getframe(), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1  # type: ignore[assignment]
    return count


@pytest.mark.parametrize("code", ["1 + f (n - 1)", "builtins.head (map f [ (n - 1) ]) + 1"])
async def test_deep_recursion_goes_on_on_fresh_fibers(code: str) -> None:
    # Python 3.12 and later need time in proportion to a fiber's frames to leave it.
    probe = aionix.builtin(_frames_on_this_fiber, name="probe")
    evaluation = builder().max_call_depth(ANY_DEPTH).builtins(probe).build()
    depth = 20 * CALLS_PER_FIBER
    result = await evaluation.evaluate(
        f"let f = n: if n == 0 then builtins.probe 0 else {code}; in f {depth}"
    )
    frames = result.unwrap().to_python()
    assert isinstance(frames, int)
    assert frames - depth < 10 * CALLS_PER_FIBER


async def test_a_loop_where_a_fiber_ends_does_not_change_fibers_at_every_turn() -> None:
    seen: list[object] = []

    def count(_: int) -> int:
        if greenlet.getcurrent() not in seen:
            seen.append(greenlet.getcurrent())
        return 0

    probe = aionix.builtin(count, name="probe")
    evaluation = builder().builtins(probe).build()
    loop = "builtins.foldl' (a: n: g n) 0 (builtins.genList (n: n) 2000)"
    code = f"let g = n: builtins.probe n; f = n: if n == 0 then {loop} else f (n - 1); in f {CALLS_PER_FIBER - 1}"
    (await evaluation.evaluate(code)).unwrap()
    assert len(seen) < 20


@pytest.mark.parametrize("depth", [30_000, pytest.param(1_000_000, marks=slow)])
async def test_as_many_calls_nest_as_are_allowed(depth: int) -> None:
    evaluation = builder().max_call_depth(ANY_DEPTH).build()
    result = await evaluation.evaluate(f"let f = x: if x == 0 then 0 else 1 + f (x - 1); in f {depth}")
    assert str(result.unwrap()) == str(depth)


@pytest.mark.parametrize("depth", [20_000, pytest.param(1_000_000, marks=slow)])
@pytest.mark.parametrize(
    "step", ["a: i: [ a ]", "a: i: { x = a; }", "a: i: y: a", "a: i: map a", "a: i: { v = a.v + 1; }"]
)
async def test_deep_values_come_and_go(step: str, depth: int) -> None:
    code = f"builtins.foldl' ({step}) {{ v = 0; }} (builtins.genList (n: n) {depth})"
    (await builder().build().evaluate(code)).unwrap()


@pytest.mark.parametrize("length", [2000, pytest.param(200_000, marks=slow)])
@pytest.mark.parametrize("code", ["{ a%s = 1; }", "{ } ? a%s"])
async def test_an_attribute_path_may_be_long(code: str, length: int) -> None:
    (await builder().build().evaluate(code % (".a" * length))).unwrap()


# -- time


@pytest.mark.parametrize(
    "code",
    [
        "let f = x: f (x + 1); in f 0",
        "let f = x: y: if y then f x y else 0; in builtins.foldl' (a: n: n) 0 (builtins.genList (n: n) 4000000)",
        "builtins.sort (a: b: builtins.foldl' (x: y: y) true [ true ]) (builtins.genList (n: n) 1000000)",
        "builtins.genericClosure { startSet = [ { key = 0; } ]; operator = x: [ { key = x.key + 1; } ]; }",
        'builtins.stringLength (builtins.concatStringsSep "," (builtins.genList (n: "a") 4000000))',
        "builtins.stringLength (builtins.toJSON (builtins.genList (n: n) 4000000))",
        "builtins.stringLength (builtins.toXML (builtins.genList (n: n) 4000000))",
        "builtins.stringLength (toString (builtins.genList (n: n) 4000000))",
        'let s = builtins.concatStringsSep "a" (builtins.genList (n: "") 1000000); '
        'in builtins.replaceStrings [ "a" "b" ] [ "b" "a" ] s',
        "let f = n: if n > 1000 then n else [ (f (n + 1)) (f (n + 2)) ]; in builtins.toJSON (f 0)",
        # Functions that call nothing, by way of thunks.
        "let f = n: { a = f (n + 1); b = (f (n + 1)).b; }; in (f 0).b",
        'let g = self: let s = "${{ __toString = g; }}"; in s; in "${{ __toString = g; }}"',
        'let g = self: let s = { __toString = g; } + ""; in s; in "${{ __toString = g; }}"',
        "let f = n: { x = builtins.head (map f [ (n + 1) ]); }; g = s: let r = s.x; in { y = (g r).y; }; in (g (f 0)).y",
    ],
)
async def test_whatever_takes_long_can_be_cancelled(code: str) -> None:
    evaluation = builder().max_call_depth(ANY_DEPTH).build()
    with anyio.move_on_after(0.2) as scope:
        await evaluation.evaluate(code)
    assert scope.cancelled_caught
    assert str((await evaluation.evaluate("1 + 1")).unwrap()) == "2"


# -- what errors leave behind


def _tracebacks(error: BaseException) -> Iterator[TracebackType]:
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


@pytest.mark.parametrize(
    "code", ["let f = x: f (x + 1); in f 0", "let f = n: if n == 0 then { }.a else 1 + f (n - 1); in f 500"]
)
async def test_an_error_keeps_no_frames_alive(code: str) -> None:
    error = await error_of(code)
    assert len(list(_tracebacks(error))) < 10
    assert error.__context__ is None


@pytest.mark.parametrize("kind", [MemoryError, RecursionError, KeyboardInterrupt])
@pytest.mark.parametrize("attempt", [force, lambda thunk: deep.force_deep((thunk,))])
async def test_a_thunk_that_was_interrupted_can_be_forced_again(
    kind: type[BaseException], attempt: Callable[[object], object]
) -> None:
    failures: list[BaseException] = [kind("no")]

    def compute(_: None) -> int:
        if failures:
            raise failures.pop()
        return 7

    thunk = native(compute)(None)
    evaluation = builder().build()
    try:
        await evaluation.evaluate_value(lambda: attempt(thunk))
    except KeyboardInterrupt:
        assert kind is KeyboardInterrupt
    assert str((await evaluation.evaluate_value(lambda: force(thunk))).unwrap()) == "7"


async def test_no_memory_left_is_an_error_of_the_program() -> None:
    def use_up() -> object:
        raise MemoryError

    result = await builder().build().evaluate_value(use_up)
    assert [error.code for error in result.errors] == ["E049"]
