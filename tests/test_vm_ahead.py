"""While an evaluation waits, what it needs next is worked on; nothing else shows that."""

from __future__ import annotations

import errno
import gc
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator

import anyio
import pytest
from anyio.lowlevel import checkpoint
from greenlet import greenlet

import aionix
from aionix import Evaluation, EvaluationResult
from aionix.io import FileType
from aionix.rendering import render
from io_backends import Memory

pytestmark = pytest.mark.anyio


class Gathering(Memory):
    """Answers nobody before `crowd` files are asked for at the same time; then each on its own."""

    def __init__(self, files: dict[str, str], crowd: int) -> None:
        super().__init__(files)
        self._crowd = crowd
        self._gathered = anyio.Event()
        self.reads: Counter[str] = Counter()
        self.now = self.peak = 0
        self.stuck = ""

    async def read(self, path: str) -> bytes:
        self.reads[path] += 1
        self.now += 1
        self.peak = max(self.peak, self.now)
        if self.now == self._crowd:
            self._gathered.set()
        try:
            await (anyio.sleep_forever() if path == self.stuck else self._gathered.wait())
        finally:
            self.now -= 1
        return await super().read(path)


NUMBERED = {f"{n}.nix": f"{{ n = {n}; list = [ {n} ]; text = ''{n}''; }}" for n in range(40)}


def each(part: str = "") -> str:
    """A list of what is at `part` in each of the files."""
    return f'(map (n: (import (/. + "/${{toString n}}.nix")){part}) (builtins.genList (n: n) 40))'


FORCED_WHOLE = {
    "strict": each(),
    "strict set": f"builtins.listToAttrs (map (f: {{ name = f.text; value = f; }}) {each()})",
    "deepSeq": f"builtins.deepSeq {each()} 1",
    "toJSON": f"builtins.toJSON {each()}",
    "toJSON of sets": f"builtins.toJSON {{ a.b = {each('.n')}; }}",
    "concatLists": f"builtins.length (builtins.concatLists {each('.list')})",
    "concatStringsSep": f"builtins.stringLength (builtins.concatStringsSep '' '' {each('.text')})",
    "derivation": f"(derivation {{ name = ''x''; system = ''s''; builder = ''b''; args = {each('.n')}; }}).drvPath",
    "structured derivation": (
        "(derivation { name = ''x''; system = ''s''; builder = ''b''; __structuredAttrs = true; "
        f"x.y = {each('.n')}; }}).drvPath"
    ),
    "sources": 'map (n: "${/. + "/${toString n}.nix"}") (builtins.genList (n: n) 40)',
}


@pytest.mark.parametrize("code", FORCED_WHOLE.values(), ids=FORCED_WHOLE.keys())
@pytest.mark.parametrize("tier", ["interpreter", "native"])
async def test_what_is_forced_whole_waits_for_all_at_once(code: str, tier: aionix.evaluation.Tier) -> None:
    io = Gathering(NUMBERED, 40)
    with anyio.fail_after(60):
        result = await Evaluation.builder(io).mode("strict").tier(tier).build().evaluate(code)
    alone = await Evaluation.builder(Memory(NUMBERED)).mode("strict").ahead(0).build().evaluate(code)
    assert str(result.unwrap()) == str(alone.unwrap())
    assert set(io.reads.values()) == {1}


@pytest.mark.parametrize("ahead", [0, 1, 10, 100])
async def test_so_many_are_ahead_and_zero_means_one_after_the_other(ahead: int) -> None:
    crowd = min(1 + ahead, 40)
    io = Gathering(NUMBERED, crowd)
    evaluation = Evaluation.builder(io).mode("strict").ahead(ahead).build()
    with anyio.fail_after(60):
        (await evaluation.evaluate(each())).unwrap()
    assert io.peak == crowd


async def test_who_is_slow_holds_up_nobody_else() -> None:
    io = Gathering(NUMBERED, 1)
    io.stuck = "/0.nix"
    evaluation = Evaluation.builder(io).mode("strict").ahead(4).build()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(evaluation.evaluate, each())
            while len(io.reads) < 40:
                await checkpoint()
            group.cancel_scope.cancel()


def traced(builder: aionix.evaluation.EvaluationBuilder) -> tuple[Evaluation, list[str]]:
    lines: list[str] = []
    # Deep enough for a second fiber; ten times as deep, a thousand schedules take ten times as long.
    return builder.mode("strict").max_call_depth(1000).trace(lines.append).build(), lines


def shown(result: EvaluationResult) -> str:
    return (
        str(result.value)
        if result.value is not None
        else "".join([render(error, show_trace=True) for error in result.errors])
    )


#: Expressions over FILES, and what must be the same however their waits fall: value or error, and traces.
PROGRAMS = {
    "the first error counts, not the fastest": "[ (import /slow.nix) (import /broken.nix) (throw (import /a.nix).text) ]",
    "an error is caught": "map (p: builtins.tryEval (import p)) [ /a.nix /thrower.nix /b.nix /thrower.nix ]",
    "an error hides those after it": "[ (builtins.tryEval (builtins.deepSeq [ (import /thrower.nix) (import /broken.nix) ] 1)) ]",
    "a missing file": "[ (import /a.nix) (import /missing.nix) (import /also-missing.nix) ]",
    "files that are wrong": "[ (import /a.nix) (import /syntax.nix) (import /names.nix) ]",
    "traces keep their order": "map (n: builtins.trace n ((import /a.nix).n + (import /tracer.nix) n)) [ 1 2 3 4 5 ]",
    "a shared trace is told once": "map (p: (import p).told) [ /told-a.nix /told-b.nix /told-c.nix ]",
    "no trace after an error": "[ (import /a.nix) (import /thrower.nix) (builtins.trace ''never'' 1) ]",
    "a trace inside what is caught": "[ (builtins.tryEval (builtins.trace ''x'' (import /thrower.nix))) (builtins.trace ''y'' 2) ]",
    "a circle of files": "[ (import /a.nix) (import /circle.nix) (import /half.nix) ]",
    "a circle begun in the middle": "[ (import /half.nix) (import /circle.nix) ]",
    "a circle through the list": "let l = [ (import /a.nix).n (builtins.length (builtins.concatLists (map (x: [ x l ]) [ 1 2 3 4 5 ]))) ] ++ l; in l",
    "an element that needs another": "let l = map (n: if n == 0 then (import /a.nix).n else (import /slow.nix) + builtins.elemAt l (n - 1)) [ 0 1 2 3 4 5 6 7 ]; in l",
    "an element that needs a later one": "let l = map (n: if n == 7 then (import /slow.nix) else (import /a.nix).n + builtins.elemAt l (n + 1)) [ 0 1 2 3 4 5 6 7 ]; in l",
    "warnings of builtins": "map (n: builtins.warn ''w${toString n}'' (import /a.nix).n) [ 1 2 3 4 5 ]",
    "directories": "builtins.mapAttrs (n: t: if t == ''regular'' then builtins.readFile (/tree + ''/${n}'') else builtins.readDir (/tree + ''/${n}'')) (builtins.readDir /tree)",
    "sources": "map (p: ''${p}'') [ /tree /a.nix /tree/one /missing.nix ]",
    "deep recursion": "let f = n: if n == 0 then (import /a.nix).n else 1 + f (n - 1); in map f [ 1 10 100 2000 1 ]",
    "the depth of a list": "builtins.toJSON (builtins.foldl' (a: n: [ (import /a.nix).n a (import /b.nix).n ]) [ ] (builtins.genList (n: n) 50))",
    "infinite recursion of a value": "let x = x; in [ (import /a.nix) (import /slow.nix) x (import /b.nix) ]",
}
FILES = {
    "a.nix": "{ n = 1; text = ''A''; }",
    "b.nix": "{ n = (import /a.nix).n + 1; }",
    "slow.nix": "builtins.stringLength (builtins.readFile /tree/one)",
    "broken.nix": "(import /a.nix) + 1",
    "thrower.nix": "throw ''thrown ${(import /a.nix).text}''",
    "syntax.nix": "{ a = ; }",
    "names.nix": "[ nope neither ]",
    "tracer.nix": "n: builtins.trace ''tracer ${toString n} ${toString (import /b.nix).n}'' n",
    "told.nix": "builtins.trace ''told'' (import /b.nix)",
    "told-a.nix": "{ told = (import /slow.nix) + (import /told.nix).n; }",
    "told-b.nix": "{ told = builtins.trace ''b'' (import /told.nix).n; }",
    "told-c.nix": "{ told = (import /told.nix).n; }",
    "circle.nix": "(import /slow.nix) + (import /half.nix)",
    "half.nix": "(import /a.nix).n + (import /circle.nix)",
    "tree": {"one": "1", "two": "22", "sub": {"three": "333"}},
}


class Chancy(Memory):
    """Answers after a random time, in turns of the event loop; what is at some paths cannot be looked at."""

    def __init__(self, seed: int) -> None:
        super().__init__(FILES)
        self._random = random.Random(seed)
        faulty = self._random.sample(PATHS, self._random.choice([0, 0, 1, 2]))
        self.faults = {path: self._random.choice(ERRORS) for path in faulty}
        self.prompt = False
        self.waiting = 0

    async def read(self, path: str) -> bytes:
        await self._dawdle(path)
        return await super().read(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        await self._dawdle(path)
        return await super().read_dir(path)

    async def file_type(self, path: str) -> FileType:
        await self._dawdle(path)
        return await super().file_type(path)

    async def _dawdle(self, path: str) -> None:
        self.waiting += 1
        try:
            for _ in range(0 if self.prompt else self._random.choice([0, 1, 2, 3, 5, 20])):
                await checkpoint()
        finally:
            self.waiting -= 1
        if path in self.faults:
            raise OSError(self.faults[path], os.strerror(self.faults[path]), path)


ERRORS = [errno.EIO, errno.EACCES, errno.ETIMEDOUT, errno.ENOENT]
PATHS = ["/a.nix", "/b.nix", "/slow.nix", "/tree/one", "/tree/sub", "/told.nix", "/half.nix", "/tracer.nix"]
SEEDS = 1000 if os.environ.get("AIONIX_SLOW_TESTS") else 100


async def alone(seed: int, program: str) -> tuple[str, list[str]]:
    io = Chancy(seed)
    io.prompt = True
    evaluation, traces = traced(Evaluation.builder(io).ahead(0).tier(tier_of(seed)))
    return shown(await evaluation.evaluate(program, "/main.nix")), traces


def tier_of(seed: int) -> aionix.evaluation.Tier:
    return "native" if seed % 3 == 0 else "interpreter"


@pytest.fixture
def small_heap() -> Iterator[None]:
    """What is there already is not looked at by the collector: a thousand times would take minutes."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def left_over() -> Counter[str]:
    """Tasks, threads and greenlets that have begun and not ended."""
    gc.collect()
    alive = [each for each in gc.get_objects() if isinstance(each, greenlet) and each]
    tasks = anyio.get_running_tasks()
    return Counter(tasks=len(tasks), threads=threading.active_count(), fibers=len(alive))


@pytest.mark.parametrize("first", range(0, SEEDS, 100))
@pytest.mark.usefixtures("small_heap")
async def test_no_schedule_shows_in_values_errors_or_traces(first: int) -> None:
    names = list(PROGRAMS)
    for seed in range(first, first + 100):
        name = names[seed % len(names)]
        expected = await alone(seed, PROGRAMS[name])
        io = Chancy(seed)
        evaluation, traces = traced(
            Evaluation.builder(io).tier(tier_of(seed)).ahead(random.Random(seed).choice([1, 3, 64]))
        )
        before = left_over()
        with anyio.fail_after(60):
            result = await evaluation.evaluate(PROGRAMS[name], "/main.nix")
        assert (shown(result), traces) == expected, f"{name}, seed {seed}"
        assert io.waiting == 0
        del result
        assert left_over() <= before, f"{name}, seed {seed}"


@pytest.mark.parametrize("first", range(0, SEEDS, 100))
@pytest.mark.usefixtures("small_heap")
async def test_cancelled_anywhere_it_leaves_nothing_and_can_be_done_again(first: int) -> None:
    names = list(PROGRAMS)
    for seed in range(first, first + 100):
        name = names[seed % len(names)]
        io = Chancy(seed)
        io.faults.clear()
        evaluation, _ = traced(Evaluation.builder(io).tier(tier_of(seed)))
        chance = random.Random(seed)
        before = left_over()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(evaluation.evaluate, PROGRAMS[name], "/main.nix")
                for _ in range(chance.randrange(100)):
                    await checkpoint()
                scope.cancel()
        assert io.waiting == 0
        assert left_over() <= before, f"{name}, seed {seed}"
        calm, _ = traced(Evaluation.builder(Memory(FILES)).ahead(0))
        expected = shown(await calm.evaluate(PROGRAMS[name], "/main.nix"))
        with anyio.fail_after(60):
            result = await evaluation.evaluate(PROGRAMS[name], "/main.nix")
        assert shown(result) == expected, f"{name}, seed {seed}"
