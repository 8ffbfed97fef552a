"""Files that exist in memory only; the same code would read them from a disk.

Prints:
    {'debug': False, 'motd': 'welcome\\n', 'name': 'demo'}
"""

import asyncio

import aionix
from io_backends import Memory

FILES = {
    "app": {
        "default.nix": "import ./base.nix // { debug = false; motd = builtins.readFile ./motd.txt; }",
        "base.nix": '{ name = "demo"; debug = true; }',
        "motd.txt": "welcome\n",
    }
}


async def main() -> None:
    evaluation = aionix.Evaluation.builder(Memory(FILES)).mode("strict").build()
    result = await evaluation.evaluate_file("/app")
    print(result.unwrap().to_python())


if __name__ == "__main__":
    asyncio.run(main())
