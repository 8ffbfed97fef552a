"""Builtins that compiled code does not call: `concatLists (map f list)` makes no thunks, `seq` is two forces.

Nobody can tell.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from aionix.errors import TraceFrame
from aionix.evaluation import Evaluation, EvaluationBuilder, Tier
from aionix.values.printing import show
from io_backends import LocalDisk, Sealed

pytestmark = pytest.mark.anyio

#: `say` traces what it evaluates; `concat`, a consumer, is defined beside these.
SAY = "say = x: builtins.trace (toString x) x; boom = throw \"boom\"; loop = concat loop loop;"
CONSUMERS = [
    "concat = f: xs: builtins.concatLists (map f xs);",
    "concat = f: xs: builtins.concatStringsSep (say \",\") (map f xs);",
    "concat = f: xs: builtins.listToAttrs (map f xs);",
    "concat = f: xs: builtins.concatLists (map (x: f (say x)) xs);",
    "concat = f: xs: builtins.concatStringsSep boom (map f xs);",
    "concat = f: xs: builtins.listToAttrs (map (x: f x) (builtins.filter (x: true) xs));",
    "concat = f: xs: with builtins; concatLists (map f xs);",
    "concat = let inherit (builtins) concatStringsSep; in f: xs: concatStringsSep \"-\" (map f xs);",
    "concat = f: xs: let map = f: xs: [ [ 1 ] ]; in builtins.concatLists (map f xs);",
]
CALLS = [
    "concat (x: [ (say x) x ]) [ 1 2 3 4 5 ]",
    "concat (x: say \"a${toString (say x)}\") [ 1 2 3 4 5 ]",
    "concat (x: { name = \"n${toString x}\"; value = say x; }) [ 1 2 1 ]",
    "concat (x: if x == 3 then boom else [ x ]) [ 1 2 3 4 ]",
    "concat (x: if x == 3 then boom else { name = \"n\"; value = x; }) [ 1 2 3 4 ]",
    "concat (x: if x == 3 then 5 else if x == 4 then boom else [ ]) [ 1 2 3 4 ]",
    "concat (x: if x == 3 then 5 else { outPath = say \"x\"; name = boom; }) [ 1 2 3 4 ]",
    "concat toString [ 1 \"2\" [ 3 4 ] ]",
    "concat (builtins.add 1) [ 1 ]",
    "concat { __functor = self: x: say [ x ]; } [ 1 2 ]",
    "concat 5 [ 1 ]",
    "concat 5 [ ]",
    "concat boom [ ]",
    "concat boom [ 1 ]",
    "concat (x: x) 5",
    "concat (x: x) boom",
    "concat (x: x) loop",
    "concat (x: boom x) [ boom boom ]",
    "let f = n: concat (x: if n == 0 then boom else f (n - 1)) [ n ]; in f 3",
    "let f = n: concat (x: [ ]) (f (n + 1)); in f 0",
    "let y = concat (x: y) [ 1 ]; in y",
    "builtins.tryEval (concat (x: x) boom)",
    "concat (x: x) (concat (x: [ [ x ] ]) [ 1 2 ])",
]


def builder(tier: Tier, ahead: int) -> EvaluationBuilder:
    return Evaluation.builder(Sealed()).tier(tier).ahead(ahead).mode("strict").max_call_depth(300)


async def told(builder: EvaluationBuilder, code: str) -> tuple[str, list[str], list[str]]:
    traced: list[str] = []
    result = await builder.trace(traced.append).build().evaluate(code)
    value = "" if result.value is None else show(result.value.raw)
    return value, [json.dumps(error.to_dict()) for error in result.errors], traced


SEQUENCES = [
    "builtins.seq (say 1) (say 2)",
    "let f = a: b: builtins.seq (say a) b; in f 1 (say 2)",
    "let f = a: b: builtins.seq a.x (builtins.seq (say b) a); in (f { x = say 1; } 2).x",
    "let f = a: b: builtins.seq a b; in f boom (say 1)",
    "let f = a: b: builtins.seq a b; in f (say 1) boom",
    "let f = a: b: builtins.seq (a + 1) (b + 1); in f 1 null",
    "let f = a: b: builtins.seq (a + 1) (b + 1); in f null 1",
    "let f = a: builtins.seq a (x: x); in f 1 boom",
    "let s = builtins.seq; f = a: s a (builtins.seq 1); in f (say 1) (say 2)",
    "let y = builtins.seq 1 y; in y",
    "let f = n: builtins.seq n (f (n + 1)); in f 0",
    "builtins.tryEval (builtins.seq boom 1)",
]


@pytest.mark.parametrize("code", SEQUENCES)
async def test_seq_is_the_same(code: str) -> None:
    code = f"let {SAY} concat = f: xs: xs; in {code}"
    expected = await told(builder("interpreter", 0), code)
    assert await told(builder("native", 0), code) == expected


@pytest.mark.parametrize("ahead", [0, 64])
@pytest.mark.parametrize("consumer", CONSUMERS)
async def test_what_is_seen_is_the_same(consumer: str, ahead: int) -> None:
    for call in CALLS:
        code = f"let {SAY} {consumer} in {call}"
        expected = await told(builder("interpreter", ahead), code)
        assert await told(builder("native", ahead), code) == expected, code


async def test_kept_code_says_where_map_failed(tmp_path: Path) -> None:
    file = tmp_path / "x.nix"
    file.write_text("let concat = f: xs:\n  builtins.concatLists (\n    map f xs); in concat (x: x) 5")
    seen = []
    for _ in range(3):
        evaluation = Evaluation.builder(LocalDisk()).code_cache(tmp_path / "cache").ahead(0).build()
        (error,) = (await evaluation.evaluate_file(file)).errors
        seen.append([(frame.message, line_of(evaluation, frame)) for frame in error.frames])
        for thread in threading.enumerate():
            if thread.name == "aionix code cache":
                thread.join()
    assert seen[0] == seen[1] == seen[2]
    assert ("while calling the 'map' builtin", 3) in seen[0]
    assert ("while calling the 'concatLists' builtin", 2) in seen[0]


def line_of(evaluation: Evaluation, frame: TraceFrame) -> int:
    assert frame.span is not None
    return evaluation.sources.position(frame.span).line


@pytest.mark.parametrize("function", ["(x: [ x ])", "builtins.attrValues"])
async def test_the_event_loop_has_its_turns_meanwhile(function: str) -> None:
    values = "builtins.genList (x: x) 300000" if function[0] == "(" else "builtins.genList (x: { }) 300000"
    code = f"builtins.length (builtins.concatLists (map {function} ({values})))"
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await checkpoint()
            turns += 1

    async with anyio.create_task_group() as group:
        group.start_soon(count)
        await checkpoint()
        before = turns
        (await builder("native", 0).build().evaluate(code)).unwrap()
        assert turns - before > 5
        group.cancel_scope.cancel()
