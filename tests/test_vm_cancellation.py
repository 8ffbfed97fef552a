"""Cancelling an evaluation anywhere leaves its values as good as new."""

from __future__ import annotations

import os

import anyio
import anyio.lowlevel
import pytest

from aionix.evaluation import Evaluation, Tier
from aionix.io import EvalIO, FileType
from aionix.vm import machine
from io_backends import Memory

pytestmark = pytest.mark.anyio

FILES = {
    f"f{n}.nix": f"let g = n: if n == 0 then 0 else 1 + g (n - 1); in {{ v = g {60 + n}; n = {n}; }}"
    for n in range(10)
}
# All take half a minute on each loop: CI asks for them, at the desk every ninth will do.
STEP = 1 if os.environ.get("AIONIX_SLOW_TESTS") else 9
MAIN = """
let
  files = map (n: import (/. + "/f${toString n}.nix")) (builtins.genList (n: n) 10);
  total = builtins.foldl' (sum: file: sum + file.v) 0 files;
in
{ inherit total; names = builtins.attrNames (builtins.readDir /.); deep = map (f: f.v * f.n) files; }
"""


class Counting(EvalIO):
    """A backend that cancels `scope` at the `limit`-th time anything is awaited."""

    def __init__(self) -> None:
        self._files = Memory(dict(FILES))
        self.count = 0
        self.limit = 0
        self.scope: anyio.CancelScope | None = None

    async def pause(self) -> None:
        self.count += 1
        if self.scope is not None and self.count == self.limit:
            self.scope.cancel()
        await anyio.lowlevel.checkpoint()

    async def read(self, path: str) -> bytes:
        await self.pause()
        return await self._files.read(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        await self.pause()
        return await self._files.read_dir(path)

    async def file_type(self, path: str) -> FileType:
        await self.pause()
        return await self._files.file_type(path)


@pytest.mark.parametrize("tier", ["interpreter", "native"])
async def test_cancelled_at_each_checkpoint_then_evaluated_again(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    io = Counting()
    monkeypatch.setattr("aionix.vm.machine.one_pass", io.pause)
    builder = Evaluation.builder(io).mode("strict").tier(tier)
    expected = str((await builder.build().evaluate(MAIN)).unwrap())
    limit, again = 1, True
    while again:
        evaluation = builder.build()
        held = (await evaluation.evaluate("import /f3.nix // { inherit (import /f4.nix) n; }")).unwrap()
        io.count, io.limit = 0, limit
        # Every call is a checkpoint now, not one in some thousands.
        monkeypatch.setattr(machine, "SLICE", -1.0)
        monkeypatch.setattr(machine, "CALLS_PER_LOOK", 0)
        with anyio.CancelScope() as io.scope:
            (await evaluation.evaluate(MAIN)).unwrap()
        again = io.scope.cancelled_caught
        limit += STEP
        io.scope = None
        monkeypatch.undo()
        monkeypatch.setattr("aionix.vm.machine.one_pass", io.pause)
        assert str((await evaluation.evaluate(MAIN)).unwrap()) == expected
        assert str(await held.force_deep()) == "{ n = 4; v = 63; }"
    assert limit > 180  # so many times there was something to cancel
