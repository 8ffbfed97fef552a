"""Derivations: what is to be built, from what, and where the outputs will be.

(Nix manual, "Store Derivation")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

#: How the file of a derivation ends.
EXTENSION = ".drv"


class Output(NamedTuple):
    """What is known of an output before it is built.

    | output                    | path      | method                | digest   |
    |---------------------------|-----------|-----------------------|----------|
    | addressed by its inputs   | known     |                       |          |
    | ... which are not built   |           |                       |          |
    | fixed                     | known     | `sha256`, `r:sha256`  | base 16  |
    | addressed by its content  |           | `r:sha256`            |          |
    | impure                    |           | `r:sha256`            | `impure` |

    `method` is how the content is hashed: `r:` for its NAR, `git:`, `text:`, or nothing for a plain
    file, and the algorithm.
    """

    path: str = ""
    method: str = ""
    digest: str = ""

    @property
    def is_fixed(self) -> bool:
        return self.digest not in ("", "impure")


class Wanted(NamedTuple):
    """Which outputs of a derivation are inputs; `dynamic`, those of derivations that outputs are."""

    outputs: frozenset[str] = frozenset()
    dynamic: Mapping[str, Wanted] = {}


@dataclass(slots=True)
class Derivation:
    """A build: `builder` is run with `arguments` in `environment`, on a `system`, and makes `outputs`.

    `input_derivations` maps store paths to the outputs that are needed of each; `input_sources`
    are store paths that need no building.
    """

    name: str
    outputs: dict[str, Output] = field(default_factory=dict)
    input_derivations: dict[str, Wanted] = field(default_factory=dict)
    input_sources: set[str] = field(default_factory=set)
    system: str = ""
    builder: str = ""
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def references(self) -> set[str]:
        """The store paths that this derivation's file mentions."""
        return self.input_sources | set(self.input_derivations)

    @property
    def is_fixed(self) -> bool:
        """Is the content of its only output known beforehand?"""
        return any([output.is_fixed for output in self.outputs.values()])

    def to_json(self) -> dict[str, object]:
        """As `nix derivation show` describes it."""
        return {
            "args": list(self.arguments),
            "builder": self.builder,
            "env": {name: self.environment[name] for name in in_order(self.environment)},
            "inputDrvs": {
                path: _wanted_json(self.input_derivations[path]) for path in in_order(self.input_derivations)
            },
            "inputSrcs": in_order(self.input_sources),
            "name": self.name,
            "outputs": {name: _output_json(self.outputs[name]) for name in in_order(self.outputs)},
            "system": self.system,
        }


def _wanted_json(wanted: Wanted) -> dict[str, object]:
    inner = {name: _wanted_json(wanted.dynamic[name]) for name in in_order(wanted.dynamic)}
    return {"dynamicOutputs": inner, "outputs": in_order(wanted.outputs)}


_METHODS = {"": "flat", "r": "nar", "git": "git", "text": "text"}


def _output_json(output: Output) -> dict[str, object]:
    described: dict[str, object] = {}
    if output.is_fixed:
        described["hash"] = output.digest
    if output.method:
        prefix, _, algorithm = output.method.rpartition(":")
        described["hashAlgo"] = algorithm
        if output.digest == "impure":
            described["impure"] = True
        described["method"] = _METHODS.get(prefix, prefix)
    if output.path:
        described["path"] = output.path
    return described


def in_order(names: Iterable[str]) -> list[str]:
    """Names in the order of their bytes, as Nix sorts whatever is hashed."""
    ordered = sorted(names)
    if "".join(ordered).isascii():
        return ordered
    return sorted(ordered, key=lambda name: name.encode("utf-8", "surrogateescape"))
