"""A service of one evaluation: calls the same function again for each line on standard input.

    python benchmarks/in_process.py FILE ARGUMENTS

ARGUMENTS is a JSON object. Each line of output is a JSON array: the seconds, and the value. One
call goes before, unmeasured: it compiles, and fills the evaluation's caches.
"""

from __future__ import annotations

import json
import sys
import time

import anyio

from aionix.cli.terminal import run_program
from aionix.evaluation import Evaluation
from io_backends import LocalDisk


async def serve(file: str, arguments: dict[str, object]) -> None:
    evaluation = Evaluation.builder(LocalDisk()).build()
    function = (await evaluation.evaluate_file(file)).unwrap()

    async def call() -> object:
        value = await function.call(arguments)
        return (await value.force_deep()).to_python()

    await call()
    for _ in sys.stdin:  # noqa: ASYNC251
        start = time.perf_counter()
        value = await call()
        seconds = time.perf_counter() - start
        print(json.dumps([seconds, value]), flush=True)


if __name__ == "__main__":
    # As the programs do it: they set the garbage collector.
    sys.exit(run_program("in_process", lambda: anyio.run(serve, sys.argv[1], json.loads(sys.argv[2]))))
