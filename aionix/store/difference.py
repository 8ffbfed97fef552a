"""Why two derivations differ: the inputs that a difference comes from, and what is different there.

Two derivations are compared as if inputs that correspond to each other had the same paths: what is
left then is their own, the rest is told at the input it comes from. Inputs correspond by name, by
name without version, and by where the derivation mentions them. A pair is compared once, however
many derivations need it; a graph may be as deep as it likes.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from aionix.store.derivation import EXTENSION, Derivation, Output, Wanted, in_order
from aionix.store.likeness import Likeness, first_mentions, rank
from aionix.store.paths import downstream_placeholder, split_path
from aionix.store.virtual import VirtualStore


class Change(NamedTuple):
    """One thing that is different. `left` or `right` is None if that side does not have it."""

    what: str
    left: str | None
    right: str | None


@dataclass(slots=True, eq=False)
class Difference:
    """What is different between two derivations, apart from what follows from their inputs.

    `left` and `right` are store paths of derivations. `changes` are their own, most telling first;
    `inputs` the pairs of inputs that differ, each pair one object in the whole tree. With
    `same_outputs` both make the same store paths, as do files fetched from one place or another.
    """

    left: str
    right: str
    changes: list[Change] = field(default_factory=list)
    inputs: list[Difference] = field(default_factory=list, repr=False)
    same_outputs: bool = False

    @property
    def name(self) -> str:
        """The derivation's, as it is on the right."""
        return derivation_name(self.right)

    def causes(self) -> Iterator[list[Difference]]:
        """The way from here to each pair that has changes of its own: both ends included.

        Near ones come first; those that make the same outputs, and what is behind them, come last.
        """
        came_from: dict[Difference, Difference | None] = {self: None}
        near, last = deque([self]), deque[Difference]()
        while near or last:
            each = (near or last).popleft()
            if each.changes:
                yield _way(each, came_from)
            for inner in each.inputs:
                if inner not in came_from:
                    came_from[inner] = each
                    (last if inner.same_outputs else near).append(inner)

    def __str__(self) -> str:
        """The difference in words, the most important first."""
        from aionix.store.difference_text import tell

        return tell(self)


def _way(end: Difference, came_from: Mapping[Difference, Difference | None]) -> list[Difference]:
    way = []
    step: Difference | None = end
    while step is not None:
        way.append(step)
        step = came_from[step]
    return way[::-1]


def derivation_name(path: str) -> str:
    """The name in the store path of a derivation's file."""
    return split_path(path)[1].removesuffix(EXTENSION)


def difference(left: VirtualStore, left_path: str, right: VirtualStore, right_path: str) -> Difference | None:
    """What is different between two derivations; None if they are the same.

    Raises FileError if a store does not know the one it should have.
    """
    left.known(left_path)
    right.known(right_path)
    if left_path == right_path:
        return None
    comparison = _Comparison(left, right)
    root = comparison.pair(left_path, right_path)
    while comparison.pending:
        comparison.compare(comparison.pending.pop())
    return root


class _Comparison:
    """The pairs met so far; those `pending` are still to be compared."""

    def __init__(self, left: VirtualStore, right: VirtualStore) -> None:
        self._left = left
        self._right = right
        self._pairs: dict[tuple[str, str], Difference] = {}
        self.pending: list[Difference] = []

    def pair(self, left: str, right: str) -> Difference:
        found = self._pairs.get((left, right))
        if found is None:
            found = self._pairs[left, right] = Difference(left, right)
            self.pending.append(found)
        return found

    def compare(self, pair: Difference) -> None:
        left, right = _Side(self._left, pair.left), _Side(self._right, pair.right)
        changes, likeness = pair.changes, Likeness()
        pair.same_outputs = left.outputs(pair.left) == right.outputs(pair.right)
        likeness.add_outputs(left.outputs(pair.left), right.outputs(pair.right))
        changes += _plain_changes(left.derivation, right.derivation)
        for ours, theirs in _matched(left.inputs(), right.inputs(), "input", changes):
            likeness.add(ours, theirs)
            likeness.add_outputs(left.outputs(ours), right.outputs(theirs))
            changes += _wanted_changes(left.wanted(ours), right.wanted(theirs), derivation_name(theirs))
            if ours != theirs:
                pair.inputs.append(self.pair(ours, theirs))
        for ours, theirs in _matched(left.sources(), right.sources(), "source", changes):
            likeness.add(ours, theirs)
            if ours != theirs:
                changes.append(_source_change(left, ours, right, theirs))
        changes += _text_changes(left.texts(), right.texts(), likeness)
        if not changes and not pair.inputs:
            changes.append(Change("store path", pair.left, pair.right))


class _Side:
    """A derivation that is being compared, in its store."""

    def __init__(self, store: VirtualStore, path: str) -> None:
        self.store = store
        self.derivation = store.derivations[path]
        self._mentions = first_mentions(self.derivation)

    def outputs(self, path: str) -> dict[str, str]:
        """What stands in texts for each output of the derivation `path`."""
        outputs = self.store.derivations[path].outputs
        return {name: output.path or downstream_placeholder(path, name) for name, output in outputs.items()}

    def inputs(self) -> list[str]:
        """The derivations it needs, in the order in which it mentions them."""
        paths = [path for path in self.derivation.references if path in self.store.derivations]
        return sorted(paths, key=lambda path: self._rank(path, [path, *self.outputs(path).values()]))

    def sources(self) -> list[str]:
        """The other paths it needs, in the order in which it mentions them."""
        paths = [path for path in self.derivation.references if path not in self.store.derivations]
        return sorted(paths, key=lambda path: self._rank(path, [path]))

    def _rank(self, path: str, names: list[str]) -> tuple[int, str, str]:
        return min([rank(name, self._mentions) for name in names]), split_path(path)[1], path

    def wanted(self, path: str) -> Wanted:
        return self.derivation.input_derivations.get(path, Wanted())

    def texts(self) -> dict[str, str]:
        """The builder, the arguments and the variables, by what to call them.

        Structured attributes stand one by one; what is told elsewhere is left out.
        """
        derivation = self.derivation
        told = {"name": derivation.name, "system": derivation.system, "builder": derivation.builder}
        told |= {name: output.path for name, output in derivation.outputs.items()}
        environment = derivation.environment | _structured(derivation.environment)
        texts = {"builder": derivation.builder}
        texts |= {f"argument {index}": text for index, text in enumerate(derivation.arguments, 1)}
        for name in in_order(environment):
            if told.get(name) != environment[name]:
                texts[f"variable '{name}'"] = environment[name]
        return texts


def _structured(environment: Mapping[str, str]) -> dict[str, str]:
    try:
        attributes = json.loads(environment.get("__json", ""))
        found = {name: _json_text(value) for name, value in attributes.items()}
    except (ValueError, AttributeError, RecursionError):  # not JSON, not a set, not sensible
        return {}
    return {**found, "__json": ""}


def _json_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _matched(left: list[str], right: list[str], kind: str, changes: list[Change]) -> list[tuple[str, str]]:
    """The store paths that correspond to each other; what is on one side only becomes a change."""
    pairs: list[tuple[str, str]] = []
    for key in _KEYS:
        waiting: dict[str, deque[str]] = {}
        for path in right:
            waiting.setdefault(key(path), deque()).append(path)
        alone = []
        for path in left:
            found = waiting.get(key(path))
            if found:
                pairs.append((path, found.popleft()))
            else:
                alone.append(path)
        left = alone
        right = [path for group in waiting.values() for path in group]
    changes += [Change(f"{kind} '{derivation_name(path)}'", path, None) for path in left]
    changes += [Change(f"{kind} '{derivation_name(path)}'", None, path) for path in right]
    return pairs


def _without_version(path: str) -> str:
    """`gcc-.tar.xz` for the path of `gcc-12.3.0.tar.xz`."""
    return _VERSION.sub("-", split_path(path)[1])


_VERSION = re.compile(r"-[0-9].*?(?=(?:\.[A-Za-z][A-Za-z0-9]*)*$)")

# How paths correspond, the surest way first.
_KEYS: tuple[Callable[[str], str], ...] = (
    lambda path: path,
    lambda path: split_path(path)[1],
    _without_version,
)


def _plain_changes(left: Derivation, right: Derivation) -> list[Change]:
    changes = [Change("name", left.name, right.name), Change("system", left.system, right.system)]
    for name in in_order({*left.outputs, *right.outputs}):
        ours, theirs = left.outputs.get(name), right.outputs.get(name)
        changes.append(Change(f"output '{name}'", _described(ours), _described(theirs)))
    return [change for change in changes if change.left != change.right]


def _described(output: Output | None) -> str | None:
    if output is None:
        return None
    return f"{output.method} {output.digest}".strip() or "addressed by the inputs"


def _wanted_changes(left: Wanted, right: Wanted, name: str) -> list[Change]:
    if left == right:
        return []
    return [Change(f"outputs of input '{name}'", _wanted_text(left), _wanted_text(right))]


def _wanted_text(wanted: Wanted) -> str:
    inner = [f"{name}^({_wanted_text(wanted.dynamic[name])})" for name in in_order(wanted.dynamic)]
    return " ".join([*in_order(wanted.outputs), *inner])


def _source_change(left: _Side, ours: str, right: _Side, theirs: str) -> Change:
    """Told by the contents where those are at hand: of what `toFile` made."""
    what = f"source '{derivation_name(theirs)}'"
    before, after = left.store.content(ours), right.store.content(theirs)
    if before is None or after is None or before == after:
        return Change(what, ours, theirs)
    return Change(what, before.decode("utf-8", "surrogateescape"), after.decode("utf-8", "surrogateescape"))


def _text_changes(left: dict[str, str], right: dict[str, str], likeness: Likeness) -> list[Change]:
    changes = []
    for what in left | right:
        if what not in left or what not in right:
            changes.append(Change(what, left.get(what), right.get(what)))
        elif shown := likeness.compare(left[what], right[what]):
            changes.append(Change(what, *shown))
    return changes
