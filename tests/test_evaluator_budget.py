"""Budgets: what each bounds, and that what ran out of one is whole for others."""

from __future__ import annotations

import pickle

import anyio
import pytest

import aionix
from aionix import Budget, Evaluation, NixError
from aionix.errors import (
    BudgetExceeded,
    DeadlineExceeded,
    IOExceeded,
    MemoryExceeded,
    OutputExceeded,
    StackOverflow,
    StepsExceeded,
)
from aionix.values.output import output_size
from io_backends import Memory

pytestmark = pytest.mark.anyio

FIB = "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib"
FILES = {
    "costly.nix": f"{{ value = ({FIB}) 17; text = builtins.readFile ./large; others = map (n: builtins.pathExists (./. + toString n)) (builtins.genList (n: n) 50); }}",
    "large": "x" * 100_000,
}


def over(files: dict[str, str] = FILES) -> Evaluation:
    return Evaluation.builder(Memory(files)).mode("strict").tier("interpreter").build()


async def error_of(code: str, budget: Budget, evaluation: Evaluation | None = None) -> NixError:
    result = await (evaluation or over()).evaluate(code, base_dir="/", budget=budget)
    assert result.value is None
    [error] = result.errors
    return error


LARGE_TEXT = 'let d = n: s: if n == 0 then s else d (n - 1) (s + s); in builtins.stringLength (d 25 "a")'

EXCEEDED: list[tuple[str, Budget, type[NixError], str]] = [
    (f"({FIB}) 20", Budget(steps=2000), StepsExceeded, "E052"),
    (LARGE_TEXT, Budget(memory=20 << 20), MemoryExceeded, "E053"),
    ("builtins.genList (n: [ n ]) 10000000", Budget(memory=20 << 20), MemoryExceeded, "E053"),
    ("let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 500", Budget(depth=400), StackOverflow, "E042"),
    ("(import ./costly.nix).others", Budget(io_calls=20), IOExceeded, "E054"),
    ("(import ./costly.nix).text", Budget(io_bytes=50_000), IOExceeded, "E054"),
    ('builtins.hashFile "sha256" ./large', Budget(io_bytes=50_000), IOExceeded, "E054"),
    ('"${./large}"', Budget(io_bytes=50_000), IOExceeded, "E054"),
    ("builtins.readFile ./large", Budget(output=50_000), OutputExceeded, "E055"),
    ("builtins.genList (n: n) 10000", Budget(output=10_000), OutputExceeded, "E055"),
    ("let a = [ 1 1 ]; b = [ a a ]; c = [ b b ]; d = [ c c ]; in [ d d d d ]", Budget(output=200), OutputExceeded, "E055"),
    (f"({FIB}) 40", Budget(seconds=0.05), DeadlineExceeded, "E056"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "budget", "kind", "number"), EXCEEDED)
async def test_each_bound_has_an_error_of_its_own(
    code: str, budget: Budget, kind: type[NixError], number: str
) -> None:
    error = await error_of(code, budget)
    assert (type(error), error.code) == (kind, number)
    assert isinstance(error, (BudgetExceeded, StackOverflow))
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.message, copy.span) == (kind, error.message, error.span)


@pytest.mark.parametrize(
    ("code", "budget", "kind"), [row[:3] for row in EXCEEDED if row[2] is not OutputExceeded]
)
async def test_nix_code_cannot_catch_it(code: str, budget: Budget, kind: type[NixError]) -> None:
    error = await error_of(f"builtins.tryEval (builtins.deepSeq ({code}) 1)", budget)
    assert type(error) is kind


@pytest.mark.parametrize(
    ("code", "budget"),
    [
        ("(import ./costly.nix).value", Budget(steps=2000)),
        ("(import ./costly.nix).value", Budget(seconds=0.001)),
        ("(import ./costly.nix).others", Budget(io_calls=20)),
        ("(import ./costly.nix).text", Budget(io_bytes=50_000)),
        ("import ./costly.nix", Budget(io_calls=0)),
        ("import ./costly.nix", Budget(io_bytes=10)),
        ("import ./costly.nix", Budget(depth=5)),
        ("import ./costly.nix", Budget(output=10)),
        ('"${./large}"', Budget(io_bytes=10)),
    ],
)
async def test_what_ran_out_goes_on_with_a_larger_budget(code: str, budget: Budget) -> None:
    evaluation = over()
    expected = (await over().evaluate(code, base_dir="/")).unwrap().to_python()
    for _ in range(2):
        await error_of(code, budget, evaluation)
    assert (await evaluation.evaluate(code, base_dir="/")).unwrap().to_python() == expected
    # ... and what is there then costs nothing.
    if "import" in code and budget.output is None:
        again = await evaluation.evaluate(
            code, base_dir="/", budget=Budget(steps=500, io_calls=20, io_bytes=0)
        )
        assert again.unwrap().to_python() == expected


class Gated(Memory):
    """Its file `/gate` is given out when the gate opens."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(files)
        self.asked, self.open = anyio.Event(), anyio.Event()

    async def read(self, path: str) -> bytes:
        if path == "/gate":
            self.asked.set()
            await self.open.wait()
        return await super().read(path)


async def test_who_waits_for_one_that_runs_out_does_it_itself() -> None:
    io = Gated(
        {"costly.nix": f"{{ value = builtins.seq (builtins.readFile ./gate) (({FIB}) 17); }}", "gate": ""}
    )
    evaluation = Evaluation.builder(io).mode("strict").tier("interpreter").build()
    found: list[object] = []

    async def run(budget: Budget) -> None:
        result = await evaluation.evaluate("(import ./costly.nix).value", base_dir="/", budget=budget)
        found.append(result.errors[0].code if result.errors else result.unwrap().to_python())

    async with anyio.create_task_group() as group:
        group.start_soon(run, Budget(steps=2000))
        await io.asked.wait()  # the first is in the middle of the value, and has to go on with it
        for _ in range(3):
            group.start_soon(run, Budget(steps=1_000_000))
        await anyio.wait_all_tasks_blocked()
        io.open.set()
    assert sorted(map(str, found)) == ["1597", "1597", "1597", "E052"]


async def test_it_says_where_it_ran_out() -> None:
    error = await error_of("{ deep.value = (import ./costly.nix).value; }", Budget(steps=2000))
    assert error.span is not None
    assert "while evaluating the attribute 'value'" in [frame.message for frame in error.frames]


async def test_a_budget_that_is_large_enough_changes_nothing() -> None:
    plenty = Budget(
        seconds=60, steps=10**7, memory=1 << 30, depth=9000, io_calls=1000, io_bytes=10**6, output=10**6
    )
    result = await over().evaluate("import ./costly.nix", base_dir="/", budget=plenty)
    bare = await over().evaluate("import ./costly.nix", base_dir="/")
    assert str(result.unwrap()) == str(bare.unwrap())
    assert result.usage.io_calls == bare.usage.io_calls
    assert result.usage.bytes_read == bare.usage.bytes_read


async def test_one_evaluation_is_not_charged_for_another() -> None:
    evaluation = over()
    found: dict[str, object] = {}

    async def run(name: str, code: str, budget: Budget) -> None:
        result = await evaluation.evaluate(code, base_dir="/", budget=budget)
        found[name] = result.errors[0].code if result.errors else "fine"

    async with anyio.create_task_group() as group:
        group.start_soon(run, "small", f"({FIB}) 14", Budget(memory=30 << 20, steps=20_000))
        group.start_soon(
            run,
            "large",
            "builtins.foldl' (a: n: a ++ [ [ n ] ]) [ ] (builtins.genList (n: n) 1500)",
            Budget(),
        )
        group.start_soon(run, "text", LARGE_TEXT, Budget())
    assert found == {"small": "fine", "large": "fine", "text": "fine"}


async def test_a_task_beside_may_use_memory() -> None:
    evaluation = over()
    kept: list[bytearray] = []

    async def hoard() -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
            kept.append(bytearray(b"x") * (4 << 20))

    async with anyio.create_task_group() as group:
        group.start_soon(hoard)
        result = await evaluation.evaluate(f"({FIB}) 20", budget=Budget(memory=30 << 20))
    assert not result.errors


async def test_builtins_that_evaluate_have_budgets_of_their_own() -> None:
    inner = over()

    @aionix.builtin
    async def ask(_: int) -> object:
        return (await inner.evaluate(f"({FIB}) 15")).unwrap().to_python()

    outer = Evaluation.builder(Memory({})).builtins(ask).build()
    result = await outer.evaluate("builtins.ask 1", budget=Budget(steps=1000))
    assert result.unwrap().to_python() == 610
    assert result.usage.steps < 1000


@pytest.mark.parametrize(
    ("code", "size"),
    [
        ("1", 4),
        ('"four"', 6),
        ("[ ]", 2),
        ("[ 1 2 3 ]", 17),
        ('{ a = "b"; }', 10),
        ("/some/path", 12),
        ('{ outPath = "xx"; other = [ 1 2 3 4 5 ]; }', 26),
        ("let a = { x = a; }; in a", 7),
    ],
)
async def test_the_size_of_output_is_that_of_what_is_written(code: str, size: int) -> None:
    value = (await over().evaluate(code)).unwrap().raw
    assert output_size(value) == size


def test_a_budget_is_plain_data() -> None:
    budget = Budget(steps=1, seconds=2.5)
    assert pickle.loads(pickle.dumps(budget)) == budget
    assert hash(budget) == hash(Budget(steps=1, seconds=2.5))
