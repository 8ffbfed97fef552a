"""A Nix function, awaited from Python as if it were one of Python's.

Prints:
    web-1.example.org
    web-2.example.org
    {'host': 'db', 'port': 5432}
"""

import asyncio

import aionix


async def main() -> None:
    host_name = await aionix.evaluate('number: domain: "web-${toString number}.${domain}"')
    for number in (1, 2):
        value = await host_name(number, "example.org")
        print(value.to_python())

    service = await aionix.evaluate("{ host, port ? 5432 }: { inherit host port; }")
    value = await service({"host": "db"})
    print((await value.force_deep()).to_python())


if __name__ == "__main__":
    asyncio.run(main())
