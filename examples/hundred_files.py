"""A hundred files, twenty at a time, each with a deadline; what is wrong is told as it turns up.

Prints:
    /hosts/13.nix: the evaluation took longer than 2 s
    /hosts/40.nix: attribute 'prot' missing, did you mean 'port'?
    /hosts/77.nix: path '/hosts/no-such-file.nix' does not exist
    97 hosts are fine, on ports 8000 to 8099
"""

from pathlib import PurePosixPath

import anyio

import aionix
from io_backends import Memory

GOOD = "{ name = ''host-%d''; port = (import ../lib.nix).port %d; }"
BAD = {
    13: "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 90",
    40: "(import ../lib.nix).prot 40",
    77: "import ./no-such-file.nix",
}
FILES = {
    "lib.nix": "{ port = n: 8000 + n; }",
    "hosts": {f"{n}.nix": BAD.get(n, GOOD % (n, n)) for n in range(100)},
}


async def main() -> None:
    paths = [PurePosixPath(f"/hosts/{n}.nix") for n in range(100)]
    ports, problems = [], []
    async with aionix.Evaluator(Memory(FILES), budget=aionix.Budget(seconds=2)) as evaluator:
        async for path, result in evaluator.evaluate_many(paths, limit=20):
            if result.errors:
                error = result.errors[0]
                problems.append(f"{path}: {error.message}" + (f", {error.hint}" if error.hint else ""))
            else:
                host = result.unwrap().to_python()
                ports.append(host["port"])
    print(*sorted(problems), sep="\n")
    print(f"{len(ports)} hosts are fine, on ports {min(ports)} to {max(ports)}")


if __name__ == "__main__":
    anyio.run(main)
