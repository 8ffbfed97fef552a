"""A service of one evaluation: calls the same function again for each line on standard input.

    python benchmarks/in_process.py FILE ARGUMENTS

ARGUMENTS is a JSON object. Each line of output is a JSON array: the seconds, those of the
processor, and the value. One call goes before, unmeasured: it compiles, and fills the evaluation's caches.
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
    for _ in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        value = await call()
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(json.dumps([seconds, cpu, value]), flush=True)


if __name__ == "__main__":
    # As the programs do it: they set the garbage collector.
    sys.exit(run_program("in_process", lambda: anyio.run(serve, sys.argv[1], json.loads(sys.argv[2]))))
