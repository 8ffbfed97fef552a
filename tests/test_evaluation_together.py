"""Many evaluations at the same time: what they share, and that no schedule shows in a result."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint

import aionix
from aionix import Evaluation, EvaluationResult, NixError
from aionix.errors import InfiniteRecursion
from aionix.io import FileType
from io_backends import Memory

pytestmark = pytest.mark.anyio


class Counting(Memory):
    """Counts the reads of each file, which take a turn of the event loop."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(files)
        self.reads: Counter[str] = Counter()

    async def read(self, path: str) -> bytes:
        self.reads[path] += 1
        await checkpoint()
        return await super().read(path)


class Dawdling(Memory):
    """Answers every question after a random number of turns, and one after a random millisecond."""

    def __init__(self, files: dict[str, str], seed: int) -> None:
        super().__init__(files)
        self._random = random.Random(seed)

    async def read(self, path: str) -> bytes:
        await self._dawdle()
        return await super().read(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        await self._dawdle()
        return await super().read_dir(path)

    async def file_type(self, path: str) -> FileType:
        await self._dawdle()
        return await super().file_type(path)

    async def _dawdle(self) -> None:
        for _ in range(self._random.randrange(4)):
            await checkpoint()
        if self._random.random() < 0.02:
            await anyio.sleep(self._random.random() / 1000)


async def together(calls: list[Callable[[], Awaitable[EvaluationResult]]]) -> list[EvaluationResult]:
    results: dict[int, EvaluationResult] = {}

    async def run(index: int) -> None:
        results[index] = await calls[index]()

    async with anyio.create_task_group() as group:
        for index in range(len(calls)):
            group.start_soon(run, index)
    return [results[index] for index in range(len(calls))]


def evaluating(evaluation: Evaluation, codes: list[str]) -> list[Callable[[], Awaitable[EvaluationResult]]]:
    return [lambda code=code: evaluation.evaluate(code) for code in codes]  # type: ignore[misc]  # mypy and defaults


FILES = {
    "lib.nix": """rec {
        sum = builtins.foldl' (a: b: a + b) 0;
        numbers = builtins.genList (n: n) 50;
        total = sum numbers;
        text = builtins.readFile /note.txt;
        broken = throw "broken: ${text}";
        missing = builtins.readFile /no-such-file;
        circle = import /circle.nix;
        entries = builtins.attrNames (builtins.readDir /.);
    }""",
    "a.nix": "let lib = import /lib.nix; in { x = lib.total; y = import /b.nix; z = lib.text; }",
    "b.nix": "let lib = import /lib.nix; a = import /a.nix; in [ lib.text a.x ]",
    "circle.nix": "(import /other-half.nix) + 1",
    "other-half.nix": "(import /circle.nix) + 1",
    "wrong.nix": "[ nope neither ]",
    "not-nix.nix": "{ a = ; }",
    "note.txt": "a note",
}

CODES = [
    "import /a.nix",
    "(import /a.nix).y",
    "(import /b.nix)",
    "(import /lib.nix).broken",
    "builtins.tryEval (import /lib.nix).broken",
    "(import /lib.nix).missing",
    "(import /lib.nix).circle",
    "import /circle.nix",
    "import /other-half.nix",
    "(import /lib.nix).entries",
    "import /wrong.nix",
    "import /not-nix.nix",
    "map (file: (import file)) [ /a.nix /b.nix /lib.nix /wrong.nix ]",
    "{ a = import /a.nix; b = (import /lib.nix).broken; }",
    "builtins.length [ (import /wrong.nix) ]",
    "(import /lib.nix).total + (import /a.nix).x",
    "map (path: builtins.pathExists path) [ /a.nix /nothing ]",
    '"${/note.txt}"',
]


def outcome(result: EvaluationResult) -> tuple[object, list[object]]:
    value = result.value.to_python() if result.value is not None else None
    return value, [[error.code, error.message, place(error)] for error in result.errors]


def place(error: NixError) -> object:
    """Where it went wrong. A circle is entered by whoever is first."""
    return None if isinstance(error, InfiniteRecursion) else error.to_dict()["span"]


async def outcomes(io: Memory, order: list[int]) -> list[object]:
    evaluation = Evaluation.builder(io).mode("strict").build()
    results = await together(evaluating(evaluation, [CODES[index] for index in order]))
    return [
        outcome(result) for _, result in sorted(zip(order, results, strict=True), key=lambda pair: pair[0])
    ]


async def test_no_schedule_shows_in_a_result_or_in_a_message() -> None:
    alone = [
        outcome(await Evaluation.builder(Memory(FILES)).mode("strict").build().evaluate(code))
        for code in CODES
    ]
    assert sum([1 for _, errors in alone if errors]) == 9
    for seed in range(100):
        order = list(range(len(CODES)))
        random.Random(seed).shuffle(order)
        with anyio.fail_after(60):
            assert await outcomes(Dawdling(FILES, seed), order) == alone, f"seed {seed}"


async def test_one_after_the_other_it_is_the_same() -> None:
    evaluation = Evaluation.builder(Memory(FILES)).mode("strict").build()
    alone = [
        outcome(await Evaluation.builder(Memory(FILES)).mode("strict").build().evaluate(code))
        for code in CODES
    ]
    assert [outcome(await evaluation.evaluate(code)) for code in CODES] == alone


async def test_each_file_is_read_once_however_many_import_it() -> None:
    io = Counting(FILES)
    evaluation = Evaluation.builder(io).mode("strict").build()
    results = await together(evaluating(evaluation, ["[ (import /a.nix) (import /b.nix) ]"] * 100))
    assert len({str(result.unwrap()) for result in results}) == 1
    assert io.reads == {"/a.nix": 1, "/b.nix": 1, "/lib.nix": 1, "/note.txt": 1}


async def test_a_shared_value_is_computed_once() -> None:
    computed: list[int] = []

    @aionix.builtin
    async def costly(number: int) -> int:
        computed.append(number)
        await anyio.sleep(0.001)
        return number * 2

    io = Memory({"a.nix": "{ x = builtins.costly 21; }"})
    evaluation = Evaluation.builder(io).builtins(costly).build()
    results = await together(evaluating(evaluation, ["(import /a.nix).x"] * 100))
    assert {result.unwrap().to_python() for result in results} == {42}
    assert computed == [21]


async def test_a_shared_error_is_given_to_all_and_grows_for_none() -> None:
    io = Counting({"a.nix": '{ x = builtins.readFile /b + throw "both"; }', "b": "text"})
    evaluation = Evaluation.builder(io).build()
    first = await together(evaluating(evaluation, ["(import /a.nix).x"] * 50))
    later = await together(evaluating(evaluation, ["(import /a.nix).x"] * 50))
    frames = [[frame.message for frame in result.errors[0].frames] for result in [*first, *later]]
    assert {result.errors[0].message for result in first} == {"both"}
    assert all([each == frames[0] for each in frames])


async def test_a_cancelled_evaluation_leaves_the_others_alone() -> None:
    io = Dawdling(FILES, 1)
    evaluation = Evaluation.builder(io).mode("strict").build()
    expected = outcome(await Evaluation.builder(Memory(FILES)).mode("strict").build().evaluate(CODES[0]))
    chance = random.Random(2)
    seen: list[object] = []

    async def patient() -> None:
        seen.append(outcome(await evaluation.evaluate(CODES[0])))

    async def hasty(patience: float) -> None:
        with anyio.move_on_after(patience):
            await evaluation.evaluate(CODES[0])

    async with anyio.create_task_group() as group:
        for _ in range(30):
            group.start_soon(hasty, chance.random() / 500)
            group.start_soon(patient)
    assert seen == [expected] * 30


async def test_a_hundred_evaluations_of_their_own_do_not_disturb_each_other() -> None:
    calls: list[Callable[[], Awaitable[EvaluationResult]]] = []
    for number in range(100):
        evaluation = Evaluation.builder(Memory({"a.nix": f"x: x + {number}"})).build()
        calls += evaluating(evaluation, ["import /a.nix 1000"])
    results = await together(calls)
    assert [result.unwrap().to_python() for result in results] == [1000 + number for number in range(100)]


async def test_warnings_go_to_the_evaluation_they_are_about() -> None:
    files = {f"{number}.nix": f"let unused{number} = 1; in {number}" for number in range(20)}
    evaluation = Evaluation.builder(Dawdling(files, 3)).build()
    results = await together(evaluating(evaluation, [f"import /{number}.nix" for number in range(20)]))
    for number, result in enumerate(results):
        assert [f"unused{number}'" in warning.message for warning in result.warnings] == [True]


async def later(evaluation: Evaluation, code: str) -> object:
    return outcome(await evaluation.evaluate(code))[0]


def test_an_evaluation_may_go_on_in_another_event_loop() -> None:
    evaluation = Evaluation.builder(Dawdling(FILES, 4)).mode("strict").build()
    assert asyncio.run(later(evaluation, "(import /a.nix).x")) == 1225
    assert asyncio.run(later(evaluation, "(import /a.nix).y")) == ["a note", 1225]
    pytest.importorskip("trio")
    assert anyio.run(later, evaluation, "(import /a.nix).z", backend="trio") == "a note"


async def test_values_of_one_evaluation_are_arguments_of_another() -> None:
    one = Evaluation.builder(Counting({"a.nix": "{ x = import /b.nix; }", "b.nix": "20"})).build()
    other = Evaluation.builder(Memory({})).build()
    function = (await other.evaluate("s: s.x + 1")).unwrap()
    lazy = (await one.evaluate_file("/a.nix")).unwrap()
    assert (await function(await lazy.force_deep())).to_python() == 21
