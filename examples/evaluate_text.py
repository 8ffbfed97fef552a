"""Nix code in, Python data out.

Prints:
    {'name': 'web', 'ports': [80, 443], 'url': 'http://web:80'}
"""

import asyncio

import aionix

CODE = """
let
  ports = [ 80 443 ];
in
rec {
  inherit ports;
  name = "web";
  url = "http://${name}:${toString (builtins.head ports)}";
}
"""


async def main() -> None:
    value = await aionix.evaluate(CODE)
    print(value.to_python())


if __name__ == "__main__":
    asyncio.run(main())
