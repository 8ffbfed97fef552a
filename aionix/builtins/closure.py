"""`genericClosure`: everything reachable from a start, each key once."""

from __future__ import annotations

from collections import deque

from aionix.builtins.attrs import require
from aionix.builtins.loops import unary
from aionix.builtins.registry import builtin, expect_attrs, expect_function, expect_list
from aionix.values.attrs import AttrSet
from aionix.values.limits import checkpoint
from aionix.values.ordering import less_than
from aionix.values.strings import ContextString
from aionix.values.thunk import Value, force


@builtin("genericClosure")
def generic_closure(arguments: AttrSet) -> Value:
    """All the sets that can be reached from `startSet`, a list of sets that have a `key`, where
    `operator set` lists the next ones. Of several with equal keys only the first counts; the
    order is that of discovery, breadth first."""
    pending = deque(expect_list(require(arguments, "startSet")))
    if not pending:
        return ()
    next_of = unary(expect_function(require(arguments, "operator")))
    keys = _Keys()
    result: list[Value] = []
    while pending:
        item = expect_attrs(pending.popleft())
        if keys.add(force(require(item, "key"))):
            result.append(item)
            if len(result) & 255 == 0:  # an operator that calls nothing does not look at the clock
                checkpoint()
            pending += [force(successor) for successor in expect_list(next_of(item))]
    return tuple(result)


class _Keys:
    """The keys met so far. Which two are the same is a question of their order (`<`), so keys
    that cannot be compared are an error; integers and strings among themselves can be hashed."""

    __slots__ = ("_hashed", "_kind", "_sorted")

    def __init__(self) -> None:
        self._kind: type | None = None
        self._hashed: set[Value] = set()
        self._sorted: list[Value] | None = None

    def add(self, key: Value) -> bool:
        """Takes the key in; False if it was there already. Raises Incomparable."""
        kind = str if type(key) is ContextString else type(key)
        if self._sorted is None and kind in (int, str) and self._kind in (None, kind):
            self._kind = kind
            count = len(self._hashed)
            self._hashed.add(key)
            return len(self._hashed) > count
        if self._sorted is None:
            self._sorted = []
            for known in self._hashed:
                _insert(self._sorted, known)
        return _insert(self._sorted, key)


def _insert(ordered: list[Value], key: Value) -> bool:
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        if less_than(key, ordered[middle]):
            high = middle
        elif less_than(ordered[middle], key):
            low = middle + 1
        else:
            return False
    ordered.insert(low, key)
    return True
