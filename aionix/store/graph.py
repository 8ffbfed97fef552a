"""What needs what: the graph of derivations and of all that is needed to build them.

Graphs may be as deep as a chain of 100,000 derivations: everything here loops, nothing recurs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple

from aionix.store.derivation import Wanted, in_order
from aionix.store.paths import split_path
from aionix.store.virtual import VirtualStore, closure


class Edge(NamedTuple):
    """`user` needs `used`: of a derivation the named outputs, of anything else all there is."""

    user: str
    used: str
    outputs: tuple[str, ...] = ()


class Graph:
    """Store paths and the edges between them, in the order of their bytes.

    `derivations` are those among the `paths`; the others are sources, which need nothing.
    """

    def __init__(self, paths: Iterable[str], derivations: Iterable[str], edges: Iterable[Edge]) -> None:
        self.paths = in_order(paths)
        self.derivations = frozenset(derivations)
        self._used: dict[str, list[Edge]] = {path: [] for path in self.paths}
        self._users: dict[str, list[Edge]] = {path: [] for path in self.paths}
        for edge in edges:
            self._used[edge.user].append(edge)
            self._users[edge.used].append(edge)

    @property
    def edges(self) -> list[Edge]:
        return [edge for path in self.paths for edge in self._used[path]]

    @property
    def roots(self) -> list[str]:
        """What nothing else needs."""
        return [path for path in self.paths if not self._users[path]]

    def references(self, path: str) -> list[str]:
        """What `path` itself needs."""
        return [edge.used for edge in self._used[path]]

    def referrers(self, path: str) -> list[str]:
        """What itself needs `path`."""
        return [edge.user for edge in self._users[path]]

    def requisites(self, path: str) -> set[str]:
        """`path`, and all that is needed to build it."""
        return closure([path], self.references)

    def dependants(self, path: str) -> set[str]:
        """`path`, and all that is built otherwise when it changes."""
        return closure([path], self.referrers)

    def order(self) -> list[str]:
        """All paths, each after those it needs: an order to build them in."""
        needs = {path: self.references(path) for path in self.paths}
        return list(TopologicalSorter(needs).static_order())

    def to_json(self) -> dict[str, object]:
        """The graph as plain data: `nodes` and `edges`, lists of dicts."""
        edges = [{"from": edge.user, "to": edge.used, "outputs": list(edge.outputs)} for edge in self.edges]
        return {"nodes": [self._node(path) for path in self.paths], "edges": edges}

    def _node(self, path: str) -> dict[str, str]:
        kind = "derivation" if path in self.derivations else "source"
        return {"path": path, "name": split_path(path)[1], "kind": kind}

    def to_dot(self) -> str:
        """The graph in the language of Graphviz; arrows point at what needs.

        An arrow is labelled with the outputs it stands for, unless that is `out`.
        """
        lines = ["digraph derivations {", "  rankdir = LR;", "  node [shape = box];"]
        for path in self.paths:
            shape = "" if path in self.derivations else ", shape = note"
            lines.append(f"  {_quoted(_base(path))} [label = {_quoted(split_path(path)[1])}{shape}];")
        for edge in self.edges:
            label = "" if edge.outputs in ((), ("out",)) else f" [label = {_quoted(' '.join(edge.outputs))}]"
            lines.append(f"  {_quoted(_base(edge.used))} -> {_quoted(_base(edge.user))}{label};")
        return "\n".join([*lines, "}", ""])


def graph(store: VirtualStore, roots: Iterable[str] | None = None) -> Graph:
    """The graph of `roots` and all they need; of everything in the store, unless told."""
    if roots is None:
        roots = [*store.derivations, *store.sources, *store.texts]
    paths = closure(roots, store.references)
    derivations = [path for path in paths if path in store.derivations]
    return Graph(paths, derivations, [edge for path in paths for edge in _edges(store, path)])


def _edges(store: VirtualStore, path: str) -> list[Edge]:
    derivation = store.derivations.get(path)
    inputs: Mapping[str, Wanted] = {} if derivation is None else derivation.input_derivations
    return [
        Edge(path, used, tuple(in_order(inputs[used].outputs)) if used in inputs else ())
        for used in in_order(store.references(path) - {path})
    ]


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _quoted(text: str) -> str:
    """A quoted identifier of Graphviz; outputs of derivations may have any name."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
