"""A hundred evaluations at the same time on one event loop, with a deadline for each.

Prints:
    99 evaluations are done
    1 ran out of time
"""

import anyio

import aionix
from aionix.errors import DeadlineExceeded
from io_backends import Sealed

ENDLESS = "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 90"


def codes() -> list[str]:
    quick = [f"let f = n: if n == 0 then {number} else f (n - 1); in f 100" for number in range(99)]
    return [*quick[:13], ENDLESS, *quick[13:]]


async def main() -> None:
    done, late = 0, 0
    async with aionix.Evaluator(Sealed(), budget=aionix.Budget(seconds=2)) as evaluator:
        async for _code, result in evaluator.evaluate_many(codes(), limit=20):
            if result.value is not None:
                done += 1
            elif isinstance(result.errors[0], DeadlineExceeded):
                late += 1
    print(f"{done} evaluations are done")
    print(f"{late} ran out of time")


if __name__ == "__main__":
    anyio.run(main)
