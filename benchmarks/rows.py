"""The rows: which program is evaluated, with which arguments.

Each kind has several programs, so that a kind is not one special case of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"

#: What `nix-instantiate FILE` is given, by name; texts are given as they are, numbers as Nix code.
Arguments = dict[str, int | str]


@dataclass(frozen=True)
class Program:
    """A file in `programs/`: a function of `size` and of what the command line tells (`needs`)."""

    name: str
    kind: str
    size: int | None = None
    quick: int | None = None
    needs: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return PROGRAMS / f"{self.name}.nix"

    def arguments(self, told: dict[str, str], quick: bool) -> Arguments | None:
        """What to call it with; None if the command line did not tell what it needs."""
        if not told.keys() >= set(self.needs):
            return None
        size = self.quick if quick else self.size
        sizes: Arguments = {} if size is None else {"size": size}
        return sizes | {name: told[name] for name in self.needs}


CALLS = "calls"
FOLD = "foldl', map, genList"
ATTRS = "attribute sets"
STRINGS = "strings"
LISTS = "lists"
SORT = "sort"
WITH = "with"
REC = "rec"
OVERLAYS = "overlays"
LIB = "nixpkgs lib functions"
MODULES = "nixpkgs module system"
PACKAGE = "a nixpkgs package"

ROWS = [
    Program("fib", CALLS, 25, 18),
    Program("tak", CALLS, 21, 12),
    Program("ackermann", CALLS, 6, 3),
    Program("fold-map", FOLD, 300_000, 10_000),
    Program("fold-filter", FOLD, 100_000, 5_000),
    Program("fold-random", FOLD, 60_000, 3_000),
    Program("attrs-merge", ATTRS, 60_000, 3_000),
    Program("attrs-records", ATTRS, 40_000, 2_000),
    Program("attrs-relations", ATTRS, 40_000, 2_000),
    Program("strings-join", STRINGS, 60_000, 3_000),
    Program("strings-edit", STRINGS, 60_000, 3_000),
    Program("strings-parse", STRINGS, 15_000, 1_000),
    Program("lists-quicksort", LISTS, 15_000, 1_000),
    Program("lists-groups", LISTS, 20_000, 1_000),
    Program("lists-primes", LISTS, 20_000, 1_000),
    Program("sort-records", SORT, 50_000, 2_000),
    Program("sort-versions", SORT, 20_000, 1_000),
    Program("with-scope", WITH, 60_000, 2_000),
    Program("with-nested", WITH, 50_000, 2_000),
    Program("rec-chain", REC, 20, 1),
    Program("rec-records", REC, 20_000, 1_000),
    Program("overlays", OVERLAYS, 40, 10),
    Program("overlays-override", OVERLAYS, 5_000, 300),
    Program("lib-lists", LIB, 2_000, 100, needs=("lib",)),
    Program("lib-attrs", LIB, 1_000, 50, needs=("lib",)),
    Program("lib-strings", LIB, 2_000, 100, needs=("lib",)),
    Program("modules-services", MODULES, 40, 5, needs=("lib",)),
    Program("modules-submodules", MODULES, 150, 5, needs=("lib",)),
    Program("nixpkgs-hello", PACKAGE, needs=("nixpkgs",)),
    Program("nixpkgs-firefox", PACKAGE, needs=("nixpkgs",)),
    Program("derivations", "derivation paths, all in one process", needs=("names", "nixpkgs")),
    Program("nixos", "a NixOS system", needs=("nixpkgs",)),
]
