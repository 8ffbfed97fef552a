"""What a file mentions is fetched before it is asked for, from backends that take their time."""

from __future__ import annotations

from collections import Counter
from time import perf_counter

import anyio
import pytest
from servers import Files, serve

from aionix import Evaluation
from aionix.compiler import compiler
from aionix.io import FileType
from aionix.vm import read_ahead
from io_backends import Http, Memory
from io_backends.http import Autoindex

pytestmark = pytest.mark.anyio

NAMES = [f"part{n}" for n in range(20)]
# One after the other, whatever is forced first: nothing here is forced whole.
LIBRARY = "{ " + " ".join([f"{name} = import ./{name}.nix;" for name in NAMES]) + " }"
MAIN = (
    "let lib = import ./lib; in " + " + ".join([f"lib.{name}" for name in NAMES]) + " + import ./single.nix"
)
FILES = {
    "main.nix": MAIN,
    "single.nix": "1",
    "lib": {"default.nix": LIBRARY, **{f"{name}.nix": "1" for name in NAMES}},
}


class Remote(Memory):
    """Answers after ten turns of the event loop, and says that this is long."""

    def __init__(self, files: object = FILES, *, worth_it: bool = True) -> None:
        super().__init__(files)  # type: ignore[arg-type]
        self._worth_it = worth_it
        self.asked: Counter[tuple[str, str]] = Counter()
        self.now = self.peak = 0
        self.rounds = 0
        self.fails_first: set[str] = set()

    @property
    def read_ahead(self) -> bool:
        return self._worth_it

    async def resolve(self, path: str) -> str:
        return path

    async def read(self, path: str) -> bytes:
        await self._answer("read", path)
        return await super().read(path)

    async def file_type(self, path: str) -> FileType:
        await self._answer("file_type", path)
        return await super().file_type(path)

    async def _answer(self, method: str, path: str) -> None:
        self.asked[method, path] += 1
        self.now += 1
        self.peak = max(self.peak, self.now)
        try:
            await anyio.sleep(0.005)
            if path in self.fails_first:
                self.fails_first.remove(path)
                raise OSError(5, "Input/output error", path)
        finally:
            self.now -= 1


async def total(io: Memory) -> object:
    return (await Evaluation.builder(io).build().evaluate_file("/main.nix")).unwrap().to_python()


async def test_files_are_fetched_together_and_each_is_requested_once() -> None:
    io = Remote()
    assert await total(io) == 21
    assert 10 < io.peak <= read_ahead.REQUESTS + 1  # and what is needed now
    assert set(io.asked.values()) == {1}
    assert io.now == 0


def library(count: int) -> dict[str, object]:
    """A tree like nixpkgs' lib: a fixed point of many files, of which each needs some others."""
    parts = {
        f"p{n}.nix": f"{{ lib }}: {{ v{n} = 1 + (if {n} < 3 then 0 else lib.v{n // 3}); }}"
        for n in range(count)
    }
    calls = " // ".join([f"call ./p{n}.nix" for n in range(count)])
    default = f"let call = f: import f {{ inherit lib; }}; lib = {calls}; in lib"
    tests = 'let lib = import ../lib; in { inherit lib; names = builtins.readDir ./.; src = "${./data}"; }'
    data = {f"d{n}": str(n) for n in range(30)}
    return {"lib": {"default.nix": default, **parts}, "tests": {"default.nix": tests, "data": data}}


async def test_a_library_on_a_server_takes_a_fifth_of_the_time_of_its_requests() -> None:
    async def share() -> float:
        async with (
            serve(Files(library(60), listing="json"), delay=0.05) as server,
            Http(server.url, Autoindex()) as io,
        ):  # type: ignore[arg-type]
            evaluation = Evaluation.builder(io).mode("strict").build()
            started = perf_counter()
            result = await evaluation.evaluate_file("/tests/default.nix")
            taken = perf_counter() - started
        assert len(result.unwrap().to_python()["lib"]) == 60  # type: ignore[index,call-overload]
        assert set(server.counts.values()) == {1}
        return taken / (0.05 * server.counts.total())

    # The best of three: the machine may have other work.
    assert await share() < 1 / 5 or await share() < 1 / 5 or await share() < 1 / 5


async def test_without_it_they_are_fetched_one_after_the_other() -> None:
    io = Remote(worth_it=False)
    assert await total(io) == 21
    assert io.peak == 1


async def test_what_is_never_needed_changes_nothing() -> None:
    mentions = "let unused = [ ./missing.nix ./nowhere ./src/file.c ./lib ]; in 42"
    io = Remote({"main.nix": mentions, "lib": {"default.nix": "throw ''never''"}})
    result = await Evaluation.builder(io).build().evaluate_file("/main.nix")
    assert result.unwrap().to_python() == 42
    assert "/src/file.c" not in {path for _, path in io.asked}
    assert set(result.dependencies) == {"/main.nix"}
    assert result.usage.files_read == 1
    assert io.now == 0


async def test_what_failed_early_is_asked_again_in_its_turn() -> None:
    io = Remote()
    io.fails_first = {"/lib/part19.nix"}
    assert await total(io) == 21


async def test_an_error_is_that_of_the_file_that_needs_it() -> None:
    io = Remote({"main.nix": "[ (import ./missing.nix) ]"})
    alone = Remote({"main.nix": "[ (import ./missing.nix) ]"}, worth_it=False)
    results = [
        await Evaluation.builder(each).mode("strict").build().evaluate_file("/main.nix")
        for each in (io, alone)
    ]
    first, second = [str(result.errors[0].to_dict()) for result in results]
    assert first == second


async def test_a_list_of_everything_is_not_fetched() -> None:
    names = [f"./p{n}.nix" for n in range(compiler.MAX_PATHS + 1)]
    io = Remote({"main.nix": f"builtins.length [ {' '.join(names)} ]"})
    assert await total(io) == len(names)
    assert sum(io.asked.values()) == 2


async def test_so_many_bytes_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "MAX_BYTES", 1000)
    monkeypatch.setattr(read_ahead, "REQUESTS", 1)
    large = {f"p{n}.nix": f"{n} # {'x' * 600}" for n in range(50)}
    mentions = "[ " + " ".join([f"./{name}" for name in large]) + " ]"
    io = Remote(
        {
            "main.nix": f"let l = {mentions}; in builtins.seq (import ./wait.nix) 1",
            "wait.nix": "import ./then.nix",
            "then.nix": "1",
            **large,
        }
    )
    monkeypatch.setattr("aionix.vm.ahead.REQUESTS", 1)
    await total(io)
    assert (
        sum([count for (method, path), count in io.asked.items() if method == "read" and path[1] == "p"]) < 10
    )


async def test_cancelled_it_leaves_nothing() -> None:
    io = Remote()
    evaluation = Evaluation.builder(io).build()
    with anyio.move_on_after(0.012):
        await evaluation.evaluate_file("/main.nix")
    assert io.now == 0
    assert (await evaluation.evaluate_file("/main.nix")).unwrap().to_python() == 21


async def test_who_needs_it_now_does_not_wait_for_who_was_cancelled() -> None:
    io = Remote()
    evaluation = Evaluation.builder(io).build()
    async with anyio.create_task_group() as group:
        group.start_soon(evaluation.evaluate_file, "/main.nix")
        await anyio.sleep(0.022)
        group.cancel_scope.cancel()
    with anyio.fail_after(60):
        assert (await evaluation.evaluate_file("/main.nix")).unwrap().to_python() == 21
