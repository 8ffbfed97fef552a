"""`aionix eval --watch`: the same again whenever something changes that it depends on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from os.path import basename, dirname, join, realpath
from typing import TYPE_CHECKING, NoReturn

from aionix.cli.job import configured, text_from
from aionix.cli.options import Job, Settings
from aionix.cli.terminal import Failed, say, tell_error, write
from aionix.errors import NixError
from aionix.io import MAX_LINKS, is_missing
from aionix.rendering import printable
from aionix.vm.account import Account, Budget, charged
from aionix.vm.dependencies import Access, Changes, Trail

if TYPE_CHECKING:
    from watchfiles import Change

#: Milliseconds without a change that end a burst of them, and after which the first look is taken.
_QUIET, _FIRST_LOOK = 50, 500
#: Nanoseconds by which the clock of a file system may be behind.
_TICK = 10_000_000

Paths = Mapping[str, Access]


async def watch(job: Job, settings: Settings) -> NoReturn:
    """Prints what the job comes to, or why it fails, now and after each change; goes on for ever.

    What was not there is waited for too. Only files that depend on a change are read again.
    """
    evaluation = configured(settings).build()
    while True:
        account, started = Account(Budget(), Trail()), time.time_ns()
        try:
            with charged(account):
                write(await text_from(evaluation, job, settings))
        except NixError as error:
            tell_error(error, show_trace=settings.show_trace)
        changed = await change(account.trail.dependencies(), started)
        say(f"--- changed: {printable(' '.join(sorted(changed)))}")
        evaluation.invalidate(changed)


async def change(paths: Paths, since: int) -> set[str]:
    """Waits until some of `paths` are no longer what they were at `since`, in nanoseconds; which."""
    try:
        from watchfiles import awatch
    except ImportError:
        say('error: --watch needs watchfiles: pip install "aionix-eval[watch]"')
        raise Failed from None
    while True:
        places = _places(paths)
        directories = _directories(places)
        watched = awatch(
            *directories, watch_filter=None, recursive=False, step=_QUIET, rust_timeout=_FIRST_LOOK,
            yield_on_timeout=True, ignore_permission_denied=True,
        )  # fmt: skip
        async with aclosing(watched) as changes:
            events = await anext(changes)
            changed = _changed_since(paths, places, since)  # until now nobody watched
            while _directories(_places(paths)) == directories:
                changed |= _concerned(paths, places, events)
                if changed:
                    return changed
                while not (events := await anext(changes)):
                    pass
        if changed:
            return changed


def _places(paths: Paths) -> dict[str, set[str]]:
    """Where on the disk each path is: itself, and what links on the way lead to."""
    return {path: _links(path) for path in paths}


def _links(path: str) -> set[str]:
    found = set()
    for _ in range(MAX_LINKS):
        path = join(realpath(dirname(path)), basename(path))
        found.add(path)
        if not os.path.islink(path):
            break
        path = join(dirname(path), os.readlink(path))
    return found


def _directories(places: Mapping[str, set[str]]) -> set[str]:
    """All above the places: a directory that is replaced takes those in it along."""
    found: set[str] = set()
    for place in {place for each in places.values() for place in each}:
        while place not in found:
            found.add(place)
            place = dirname(place)
    return {place for place in found if os.path.isdir(place)}


def _concerned(
    paths: Paths, places: Mapping[str, set[str]], events: Iterable[tuple[Change, str]]
) -> set[str]:
    """The paths that the events matter to."""
    from watchfiles import Change

    changes = Changes([path for _, path in events])
    names = Changes([path for kind, path in events if kind is not Change.modified])
    return {
        path
        for path, access in paths.items()
        for place in places[path]
        if changes.matter_to(place, access & ~Access.LISTED) or names.matter_to(place, access)
    }


def _changed_since(paths: Paths, places: Mapping[str, set[str]], since: int) -> set[str]:
    """Those that are not what they were, or may not be."""
    return {
        path
        for path, access in paths.items()
        if (os.path.exists(path) if Access.MISSING in access else _is_gone(path))
        or any([_is_new(place, since) for place in places[path]])
    }


def _is_gone(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return is_missing(error)
    return False


def _is_new(place: str, since: int) -> bool:
    try:
        status = os.lstat(place)
    except OSError:
        return False
    # What another machine's clock says is in the future is not changing all the time.
    return since - _TICK <= status.st_ctime_ns <= time.time_ns() + _TICK
