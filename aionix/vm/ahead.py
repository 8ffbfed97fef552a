"""Helpers: while an evaluation waits, they force what it is sure to force next (`aionix.values.walk`).

A helper is a task with a run of its own. What it finds is only ever the same as what the
evaluation itself would have found, and had it not come that far, nothing has happened:

- a value is kept; a failure is told, for good, when the evaluation comes to it in its turn;
- what others can see (`trace`, `warn`) waits until it is that value's turn;
- a helper that meets a circle gives up what it was doing, since where the circle is entered is part of the
  error; so does one that is in the way of who is not ahead.

Nothing is begun before there is a wait, and nothing new when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

import anyio

from aionix.values.thunk import Value
from aionix.values.walk import Walk
from aionix.vm.read_ahead import REQUESTS, ReadAhead

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from aionix.vm.run import Run


class Ahead:
    """The helpers of one evaluation, of which at most `limit` are at work at the same time."""

    def __init__(self, group: TaskGroup, context: Context, limit: int) -> None:
        self._group = group
        self._context = context
        self._free = limit
        self._busy = False
        self._requests: anyio.Semaphore | None = None
        self._walks: list[tuple[Run, Walk]] = []

    def look(self, run: Run) -> None:
        """Called when `run` has to wait: gives its walks, and those of others who wait, to free helpers."""
        self._walks = [(owner, walk) for owner, walk in self._walks if not walk.closed]
        for index, walk in enumerate(run.walks):
            if not isinstance(walk, Walk):
                walk = run.walks[index] = Walk(*walk)
                walk.depth, walk.outer = run.depth, run.ahead_of
                self._walks.append((run, walk))
            walk.look()
        while self._free and (found := self._next()):
            self._free -= 1
            self.start(partial(self._help, *found))

    def start(self, task: Callable[[], Coroutine[object, object, None]]) -> None:
        """Begins what is cancelled when the evaluation is over."""
        self._busy = True
        # In the context of the evaluation, not of whatever builtin is waiting.
        self._context.copy().run(lambda: self._group.start_soon(task))

    def fetch(self, reading: ReadAhead, paths: list[str]) -> None:
        """Lets `reading` fetch what is at `paths`."""
        if self._requests is None:
            self._requests = anyio.Semaphore(REQUESTS)
        for path in paths:
            self.start(partial(reading.fetch, path, self._requests))

    def stop(self) -> None:
        """The evaluation is over."""
        if self._busy:
            self._group.cancel_scope.cancel()

    def _next(self) -> tuple[Run, Walk, Value] | None:
        """The latest walk comes first: it is nearest to its end."""
        for run, walk in reversed(self._walks):
            if run.waiting and not walk.closed:
                value = walk.next()
                if value is not None:
                    return run, walk, value
        return None

    async def _help(self, owner: Run, walk: Walk, value: Value) -> None:
        helper = owner.helper()
        found: tuple[Run, Walk, Value] | None = (owner, walk, value)
        try:
            while found is not None:
                _, walk, value = found
                await _force(helper, walk, value)
                found = self._next()
        finally:
            self._free += 1


async def _force(helper: Run, walk: Walk, value: Value) -> None:
    with anyio.CancelScope() as scope, suppress(Exception):  # told when it is that value's turn
        walk.helps.add(scope)
        try:
            helper.go_ahead(walk, scope)
            await helper.result(lambda: walk.force(value))
        finally:
            walk.helps.discard(scope)
