"""A server that fails in every way, asked by evaluations in any order: one outcome, and nothing stays open."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncGenerator, Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint
from servers import Files, Reply, Request, Server, serve

from aionix import Evaluation
from aionix.rendering import render
from io_backends import Http
from io_backends.http import Autoindex
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

SEEDS = 500 if os.environ.get("AIONIX_SLOW_TESTS") else 40
CODE = """{
  all = map (name: builtins.tryEval (import (./. + "/files/${name}"))) (builtins.attrNames (builtins.readDir ./files));
  some = [ (import ./files/a.nix) (import ./files/b.nix) (import ./files/c.nix) ];
  source = "${./files}";
}"""
TREE: dict[str, Node] = {
    "main.nix": CODE,
    "files": {
        "a.nix": "1",
        "b.nix": "import ./a.nix + import ./d.nix",
        "c.nix": "builtins.readFile ./e.nix",
        "d.nix": 'if builtins.pathExists ./none.nix then throw "there" else 2',
        "e.nix": "# " + "e" * 5000,
    },
}


async def endless() -> AsyncGenerator[bytes]:
    yield b"1 +"
    raise anyio.BrokenResourceError  # the server has gone


FAULTS: list[Callable[[], Reply]] = [
    lambda: Reply(status=403),
    lambda: Reply(status=404),
    lambda: Reply(status=500),
    lambda: Reply(b"1 + ", headers={"content-length": "1000"}),
    lambda: Reply(b"not HTTP", raw=True),
    lambda: Reply(b"", raw=True),
    lambda: Reply(status=302, headers={"location": "http://10.0.0.1/"}),
    lambda: Reply(status=302, headers={"location": "file:///etc/passwd"}),
    lambda: Reply(b"1 + 1", headers={"content-encoding": "gzip"}),
    lambda: Reply(endless()),
]


class Failing(Files):
    """The same paths fail in the same way each time; how long an answer takes is different."""

    def __init__(self, seed: int) -> None:
        super().__init__(TREE, listing="json")
        self.chance = random.Random(seed)
        paths = ["/files/", *[f"/files/{name}.nix" for name in "abcde"]]
        self.faults = {path: self.chance.choice(FAULTS) for path in paths if self.chance.random() < 0.2}

    async def answer(self, request: Request) -> Reply:
        for _ in range(self.chance.choice([0, 0, 1, 5, 20])):
            await checkpoint()
        fault = self.faults.get(request.path)
        return fault() if fault else self(request)


def opened() -> int:
    return len(os.listdir("/proc/self/fd"))


async def only_left(server: Server, before: int) -> None:
    """Waits until no more is open than there was; asyncio closes a socket some turns after it was told to."""
    with anyio.fail_after(60):
        await server.all_gone()
        while opened() > before:  # noqa: ASYNC110
            await anyio.sleep(0.001)


async def outcome(server: Server, ahead: int) -> str:
    async with Http(server.url, Autoindex(), attempts=1) as io:
        result = await Evaluation.builder(io).mode("strict").ahead(ahead).build().evaluate_file("/main.nix")
    if result.value is None:
        return "\n".join(render(error) for error in result.errors)
    return str(result.value.to_python())


@pytest.mark.timeout(600)  # 500 seeds take half a minute, 1,000 other schedules are in test_vm_ahead
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux")
async def test_faults_in_any_order_have_one_outcome_and_leave_no_socket() -> None:
    outcomes: set[str] = set()
    for seed in range(SEEDS):
        async with serve(Failing(seed).answer) as server:
            before = opened()
            expected = await outcome(server, 0)
            outcomes.add(expected.replace(server.url, ""))
            with anyio.fail_after(60):
                assert await outcome(server, 64) == expected, f"seed {seed}"
            await only_left(server, before)
    assert len(outcomes) > 10


@pytest.mark.timeout(600)
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux")
async def test_cancelled_anywhere_it_leaves_no_socket() -> None:
    for seed in range(SEEDS):
        async with serve(Failing(seed).answer) as server:
            before = opened()
            async with anyio.create_task_group() as group:
                group.start_soon(outcome, server, 64)
                for _ in range(random.Random(seed).randrange(300)):
                    await checkpoint()
                group.cancel_scope.cancel()
            await only_left(server, before)
