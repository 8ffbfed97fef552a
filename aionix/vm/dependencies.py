"""What an evaluation depends on: every path it read, listed, looked for or found missing.

Values are shared, and what they are made of is read once, by whichever evaluation comes first. So there is
a `Trail` for each evaluation, each file that is imported and each source that is copied, which notes
what was looked at for it and what else it used; an evaluation depends on its own trail and on all
that this leads to.

A value that is computed for one evaluation is kept for others in some file's thunks. `trail_of` finds a file
to note for, on the stack: that whose code the innermost thunk is. Whichever file's value has that thunk
in it uses the file whose code it is, or there would be no such code in it. A function keeps
nothing: what a library's function reads at once is noted for its caller, what it leaves to a thunk
of its own for the library. That is more than need be, never less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextvars import ContextVar
from enum import Flag, auto
from posixpath import dirname
from types import FrameType

from aionix.source import Source

#: Python frames between a question and the thunk that it is for: some seventy calls of Nix code.
_FRAMES = 200


class Access(Flag):
    """How a path was looked at: READ for what is in it, LISTED for the names in it, PROBED for whether it
    is there and what it is; and MISSING, if there was nothing."""

    READ = auto()
    LISTED = auto()
    PROBED = auto()
    MISSING = auto()


class Trail:
    """What was looked at for one evaluation, file or source; `used` are the trails of what it used.

    Code holds the trail that it notes in: so that, too, holds the texts that its places are in.
    """

    __slots__ = ("paths", "sources", "used")

    def __init__(self) -> None:
        self.paths: dict[str, Access] = {}
        self.sources: list[Source] = []
        self.used: set[Trail] = set()

    def note(self, path: str, access: Access) -> None:
        known = self.paths.get(path)
        if known is None:
            self.paths[path] = access
        elif known is not access:
            self.paths[path] = known | access

    def dependencies(self) -> dict[str, Access]:
        """All paths, those of what was used too."""
        whole = Trail()
        for trail in reached([self]):
            for path, access in trail.paths.items():
                whole.note(path, access)
        return whole.paths


def reached(trails: Iterable[Trail]) -> set[Trail]:
    """The trails, and all that they lead to."""
    seen = set(trails)
    pending = list(seen)
    while pending:
        new = pending.pop().used - seen
        seen |= new
        pending += new
    return seen


class Changes:
    """Paths that have changed, come or gone."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = set(paths)
        self._directories = {dirname(path) for path in self._paths}

    def matter_to(self, path: str, access: Access) -> bool:
        """Should who has looked at `path` so look again?"""
        if Access.LISTED in access and path in self._directories:
            return True
        while path not in self._paths:  # or something above it: then it came, went, or was exchanged
            if path == "/":
                return False
            path = dirname(path)
        return True


def affected(trails: Iterable[Trail], paths: Iterable[str]) -> set[Trail]:
    """Those, and those they lead to, that a change of `paths` makes out of date."""
    changes = Changes(paths)
    users: dict[Trail, list[Trail]] = defaultdict(list)
    pending = []
    for trail in reached(trails):
        if any([changes.matter_to(path, access) for path, access in trail.paths.items()]):
            pending.append(trail)
        for used in trail.used:
            users[used].append(trail)
    found = set(pending)
    while pending:
        new = set(users[pending.pop()]) - found
        found |= new
        pending += new
    return found


# A source that is being copied, or a file that is being read: no code is asking.
_asking: ContextVar[Trail | None] = ContextVar("_asking", default=None)


class asking:  # a function to who uses it; a generator would take three times as long
    """What is looked at meanwhile is noted for `trail`, whatever code is running."""

    __slots__ = ("_token", "_trail")

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def __enter__(self) -> None:
        self._token = _asking.set(self._trail)

    def __exit__(self, *_: object) -> None:
        _asking.reset(self._token)


def asked_for() -> Trail | None:
    """The trail that `asking` has named."""
    return _asking.get()


def trail_of(frame: FrameType | None) -> Trail | None:
    """That of the file whose code asks, if `frame` is the innermost of a fiber; None if no code does."""
    nearest: Trail | None = None
    for _ in range(_FRAMES):
        if frame is None:
            break
        if frame.f_code.co_freevars == ("unit",):  # see vm.entries
            unit = frame.f_locals["unit"]
            if unit.is_thunk:
                return unit.trail  # type: ignore[no-any-return]
            nearest = nearest or unit.trail
        frame = frame.f_back
    return nearest
