"""How often each instruction of the virtual machine runs.

Prints:
    34 is the ninth Fibonacci number
    OpCall ran 109 times
"""

import asyncio

import aionix
from aionix.observers import CountingObserver
from io_backends import Sealed

CODE = "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 9"


async def main() -> None:
    counter = CountingObserver()
    evaluation = aionix.Evaluation.builder(Sealed()).runtime_observer(counter).build()
    value = (await evaluation.evaluate(CODE)).unwrap()
    print(f"{value} is the ninth Fibonacci number")
    print(f"OpCall ran {counter.counts['OpCall']} times")


if __name__ == "__main__":
    asyncio.run(main())
