"""Evaluates nixpkgs' `lib/tests/misc.nix` from a server that takes its time to answer.

    python -m benchmarks.remote PATH_OF_NIXPKGS [--delay SECONDS]

The server is a process of its own, and counts what is asked of it. The time is compared with what these
requests take one after the other, and the evaluation from memory. Then once more with a code cache that
earlier evaluations have filled, as a service has it that evaluates a tree again: no file is compiled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import anyio

from aionix import Evaluation
from aionix.io import EvalIO
from io_backends import Http, Memory
from io_backends.http import Autoindex, Layout, Manifest, make_manifest
from io_backends.memory import Node

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

PROGRAM = "/lib/tests/misc.nix"
#: The thread that keeps code.
KEEPER = "aionix code cache"
LAYOUTS: list[Layout] = [Manifest(), Autoindex()]


def tree(directory: Path) -> dict[str, Node]:
    """The files below `directory`, in memory."""
    return {
        each.name: tree(each) if each.is_dir() else each.read_bytes() for each in sorted(directory.iterdir())
    }


def serve(directory: Path, delay: float, pipe: Connection) -> None:
    """Serves `directory`; answers every message with the counts of what was requested since the last one."""
    from servers import Files, serving_in_thread

    files = tree(directory)
    files["manifest.json"] = make_manifest(directory)
    with serving_in_thread(Files(files, listing="json"), delay=delay) as server:
        pipe.send(server.url)
        while pipe.recv():
            pipe.send(server.counts)
            server.requests.clear()


async def seconds(io: EvalIO, code: str | bool) -> float:
    """What the evaluation of PROGRAM takes, with the code cache in that directory."""
    evaluation = Evaluation.builder(io).mode("strict").trace(lambda _: None).code_cache(code).build()
    started = time.perf_counter()
    (await evaluation.evaluate_file(PROGRAM)).unwrap()
    return time.perf_counter() - started


async def measure(directory: Path, delay: float, url: str, pipe: Connection, code: str | bool) -> None:
    alone = await seconds(Memory(tree(directory)), code)
    print(f"from memory: {alone:.2f} s")
    for layout in LAYOUTS:
        async with Http(url, layout) as io:
            taken = await seconds(io, code)
        pipe.send(True)
        counts = pipe.recv()
        in_turn = sum(counts.values()) * delay + alone
        twice = {path: count for path, count in counts.items() if count > 1}
        print(f"{type(layout).__name__}: {taken:.2f} s, 1/{in_turn / taken:.1f} of {in_turn:.2f} s in turn;")
        print(f"    {sum(counts.values())} requests; more than once: {twice or 'none'}")


async def fill(directory: Path, code: str) -> None:
    """Evaluates until the code that is kept is Python code: the fourth time finds it."""
    for _ in range(3):
        await seconds(Memory(tree(directory)), code)
        for thread in threading.enumerate():
            if thread.name == KEEPER:
                await anyio.to_thread.run_sync(thread.join)


async def measure_both(directory: Path, delay: float, url: str, pipe: Connection) -> None:
    await measure(directory, delay, url, pipe, False)
    with tempfile.TemporaryDirectory() as code:
        await fill(directory, code)
        print("with its code kept:")
        await measure(directory, delay, url, pipe, code)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.remote",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", type=Path, metavar="PATH_OF_NIXPKGS", help="where lib/tests/misc.nix is")
    parser.add_argument("--delay", type=float, default=0.05, metavar="SECONDS", help="of each answer: 0.05")
    given = parser.parse_args()
    directory, delay = given.directory, given.delay
    if not (directory / PROGRAM.strip("/")).is_file():
        parser.error(f"there is no {PROGRAM.strip('/')} in {directory}")
    context = get_context("spawn")
    pipe, end = context.Pipe()
    server = context.Process(target=serve, args=(directory, delay, end), daemon=True)
    server.start()
    anyio.run(measure_both, directory, delay, pipe.recv(), pipe)
    pipe.send(False)
    server.join()


if __name__ == "__main__":
    main()
