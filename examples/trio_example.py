"""The same on trio: nothing to configure. (In this repository: pip install '.[trio]')

Prints:
    55
"""

import trio

import aionix


async def main() -> None:
    value = await aionix.evaluate("builtins.foldl' (a: b: a + b) 0 (builtins.genList (n: n + 1) 10)")
    print(value.to_python())


if __name__ == "__main__":
    trio.run(main)
