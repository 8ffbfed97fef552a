"""How fast Nix is parsed, in MB/s; beside C++ Nix, where that is installed.

    python benchmarks/parse.py [FILE ...]

Without a file, a large set of package-like definitions is made up. The first parse of the process is
measured too: it includes reading the grammar's tables.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aionix.source import SourceMap
from aionix.syntax import parse

_DEFINITION = """
  # Number {0} of many.
  package-{0} = callPackage ../development/libraries/package-{0} {{
    inherit (gnome) glib gtk;
    stdenv = if stdenv.isDarwin then clangStdenv else overrideCC stdenv gcc{0};
    enableX11 = config.package.enableX11 or true && !minimal;
    flags = [ "--prefix=$out" "--with-x=${{x.dev}}/include" ] ++ optional (a != null) "--a";
    hook = ''
      substituteInPlace $out/bin/run --replace /usr ${{self.path {{ n = {0}; }}}}
    '';
  }};
"""


def generated() -> bytes:
    """About 2 MB of Nix."""
    definitions = "".join([_DEFINITION.format(number) for number in range(4000)])
    return f"{{ callPackage, ... }}@self: with self; rec {{{definitions}}}\n".encode()


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def own(data: bytes) -> Callable[[], object]:
    return lambda: parse(SourceMap().add("benchmark", data))


def reference(program: str, data: bytes) -> Callable[[], object]:
    """Nix parses, and then complains about names that are not bound, which costs it nothing more."""
    return lambda: subprocess.run([program, "--parse", "-"], input=data, capture_output=True, check=False)


def report(name: str, data: bytes) -> None:
    megabytes = len(data) / 1e6
    first = seconds(own(data))
    best = min(seconds(own(data)) for _ in range(3))
    line = f"{name}: {megabytes:.2f} MB, first {megabytes / first:.2f} MB/s, best {megabytes / best:.2f} MB/s"
    if program := shutil.which("nix-instantiate"):
        start_up = min(seconds(reference(program, b"1")) for _ in range(3))
        theirs = min(seconds(reference(program, data)) for _ in range(3)) - start_up
        line += f", C++ Nix {megabytes / theirs:.2f} MB/s ({best / theirs:.1f} times as fast)"
    print(line)


def main(files: list[str]) -> None:
    for file in files:
        report(file, Path(file).read_bytes())
    if not files:
        report("generated", generated())


if __name__ == "__main__":
    main(sys.argv[1:])
