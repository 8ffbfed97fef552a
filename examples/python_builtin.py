"""Functions of your own, plain and async, that Nix code calls.

Prints:
    {'greeting': 'hello nix', 'prices': [3, 5]}
"""

import asyncio

import aionix
from io_backends import Sealed


@aionix.builtin
def greet(name: str) -> str:
    """An ordinary function. What it gets is Python data; so is what it returns."""
    return f"hello {name}"


@aionix.builtin(name="priceOf")
async def price_of(article: str) -> int:
    """An async one may await anything; the evaluation waits for it, other tasks go on."""
    await asyncio.sleep(0.01)  # a database, a web service
    return {"apple": 3, "pear": 5}[article]


CODE = """
{
  greeting = builtins.greet "nix";
  prices = map builtins.priceOf [ "apple" "pear" ];
}
"""


async def main() -> None:
    builder = aionix.Evaluation.builder(Sealed()).builtins(greet, price_of).mode("strict")
    result = await builder.build().evaluate(CODE)
    print(result.unwrap().to_python())


if __name__ == "__main__":
    asyncio.run(main())
