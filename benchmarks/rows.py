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


_FUNCTIONS = "calls"
_FOLD = "foldl', map, genList"
_ATTRS = "attribute sets"
_STRINGS = "strings"
_LISTS = "lists"
_SORT = "sort"
_WITH = "with"
_REC = "rec"
_OVERLAYS = "overlays"
_LIB = "nixpkgs lib functions"
_MODULES = "nixpkgs module system"
_PACKAGE = "a nixpkgs package"

ROWS = [
    Program("fib", _FUNCTIONS, 25, 18),
    Program("tak", _FUNCTIONS, 21, 12),
    Program("ackermann", _FUNCTIONS, 6, 3),
    Program("fold-map", _FOLD, 300_000, 10_000),
    Program("fold-filter", _FOLD, 100_000, 5_000),
    Program("fold-random", _FOLD, 60_000, 3_000),
    Program("attrs-merge", _ATTRS, 60_000, 3_000),
    Program("attrs-records", _ATTRS, 40_000, 2_000),
    Program("attrs-relations", _ATTRS, 40_000, 2_000),
    Program("strings-join", _STRINGS, 60_000, 3_000),
    Program("strings-edit", _STRINGS, 60_000, 3_000),
    Program("strings-parse", _STRINGS, 15_000, 1_000),
    Program("lists-quicksort", _LISTS, 15_000, 1_000),
    Program("lists-groups", _LISTS, 20_000, 1_000),
    Program("lists-primes", _LISTS, 20_000, 1_000),
    Program("sort-records", _SORT, 50_000, 2_000),
    Program("sort-versions", _SORT, 20_000, 1_000),
    Program("with-scope", _WITH, 60_000, 2_000),
    Program("with-nested", _WITH, 50_000, 2_000),
    Program("rec-chain", _REC, 20, 1),
    Program("rec-records", _REC, 20_000, 1_000),
    Program("overlays", _OVERLAYS, 40, 10),
    Program("overlays-override", _OVERLAYS, 5_000, 300),
    Program("lib-lists", _LIB, 2_000, 100, needs=("lib",)),
    Program("lib-attrs", _LIB, 1_000, 50, needs=("lib",)),
    Program("lib-strings", _LIB, 2_000, 100, needs=("lib",)),
    Program("modules-services", _MODULES, 40, 5, needs=("lib",)),
    Program("modules-submodules", _MODULES, 60, 5, needs=("lib",)),
    Program("nixpkgs-hello", _PACKAGE, needs=("nixpkgs",)),
    Program("nixpkgs-firefox", _PACKAGE, needs=("nixpkgs",)),
    Program("derivations", "derivation paths, all in one process", needs=("names", "nixpkgs")),
    Program("nixos", "a NixOS system", needs=("nixpkgs",)),
]
