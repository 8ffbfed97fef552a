"""A hundred evaluations at the same time on one event loop, with a deadline for each.

Prints:
    99 evaluations are done
    1 ran out of time
"""

import anyio

import aionix
from io_backends import Sealed

ENDLESS = "let loop = n: loop (n + 1); in loop 0"


async def main() -> None:
    evaluation = aionix.Evaluation.builder(Sealed()).max_call_depth(10**9).build()
    done: list[int] = []
    late: list[int] = []

    async def evaluate(number: int) -> None:
        code = ENDLESS if number == 13 else f"let f = n: if n == 0 then {number} else f (n - 1); in f 100"
        with anyio.move_on_after(5) as deadline:
            done.append(int(str((await evaluation.evaluate(code)).unwrap())))
        if deadline.cancelled_caught:
            late.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(evaluate, number)
    print(f"{len(done)} evaluations are done")
    print(f"{len(late)} ran out of time")


if __name__ == "__main__":
    anyio.run(main)
