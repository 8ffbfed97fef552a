"""Restricted: a part of another backend, and no way out of it.

A path is *shown* if it is granted (at or below a path of `allow`, and not at or below one of `deny`), or
leads to something granted. Links are followed here, step by step, and a step to what is not shown ends the
walk before the backend is asked about it. So what is not shown looks the same whether it is there or not.
"""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import NoReturn

from aionix.io import (
    EvalIO,
    FileReader,
    FileType,
    OpenEntry,
    errno_of,
    follow_links,
    follow_links_async,
    is_missing,
)
from io_backends.paths import checked, is_clean, join, with_parents
from io_backends.wrapper import Wrapper


class Restricted(Wrapper):
    """What of `io` lies at or below a path of `allow`, unless it is at or below one of `deny`.

        Restricted(LocalDisk(), allow=["/srv/site", "/srv/lib"], deny=["/srv/site/secrets"])

    Everything else is as if it was not there: FileNotFoundError, in the same words for what exists and
    what does not. A directory that leads to an allowed path has only what leads there. A link to
    something else can be seen, but not followed, and where it leads is not told (`read_link` fails).
    No store path comes from the store of `io` (`import_path`), whose copy might hold more.

    `allow` and `deny` mean the names as written and where their links led when they were first
    looked at. Nix code sees the environment variables named in `env`, and, with `store_dir`, where the
    store is.

    The links of a path are followed before it is read. Whoever can change the tree at that moment can put
    a link there, so if the tree is not yours, give a `LocalDisk` its `root` as well. `deny` knows
    names exactly as written: on a disk that ignores case, or for hard links, use `allow`. What `io` does by
    itself to answer, as when a server redirects, is up to it.
    """

    def __init__(
        self,
        io: EvalIO,
        allow: Iterable[str] = ("/",),
        deny: Iterable[str] = (),
        *,
        env: Iterable[str] = (),
        store_dir: bool = True,
    ) -> None:
        super().__init__(io)
        self._allow = _paths(allow)
        self._deny = _paths(deny)
        self._env = frozenset(env)
        self._tells_store_dir = store_dir
        self._known: _Rules | None = None

    async def read(self, path: str) -> bytes:
        return await self._io.read(await self._file(path))

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        async with self._io.open(await self._file(path)) as file:
            yield file

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        async with self._io.open_range(await self._file(path), start, size) as file:
            yield file

    async def read_dir(self, path: str) -> dict[str, FileType]:
        rules = await self._rules()
        place = await self._place(path)
        if not rules.grants(place):
            return await self._leading(rules, place)
        entries = await self._io.read_dir(place)
        return {name: kind for name, kind in entries.items() if rules.shows(join(place, name))}

    async def file_type(self, path: str) -> FileType:
        return await self._io.file_type(await self._place(path, follow=False))

    async def read_link(self, path: str) -> str:
        place = await self._place(path, follow=False)
        target = await self._io.read_link(place)
        await self._refuse_target_outside(place, target, path)
        return target

    async def is_executable(self, path: str) -> bool:
        place = await self._place(path, follow=False)
        if await self._io.file_type(place) is not FileType.REGULAR:
            return False  # what a link leads to is not to be asked for
        return (await self._rules()).grants(place) and await self._io.is_executable(place)

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        place = await self._place(path, follow=False)
        if not (await self._rules()).grants(place):
            yield OpenEntry(await self._io.file_type(place))
            return
        # `kind` is not handed on: whoever believed a wrong one would follow a link.
        async with self._io.open_entry(place) as entry:
            yield entry

    async def resolve(self, path: str) -> str:
        """As what is missing, a path that is not shown stays as it is written; a link to one is refused."""
        if is_clean(path) and not (await self._rules()).shows(path):
            return path
        return await self._place(path)

    async def path_exists(self, path: str) -> bool:
        return await EvalIO.path_exists(self, path)

    async def import_path(self, path: str) -> str | None:
        return None

    def get_env(self, name: str) -> str | None:
        return super().get_env(name) if name in self._env else None

    def store_dir(self) -> str | None:
        return super().store_dir() if self._tells_store_dir else None

    async def _file(self, path: str) -> str:
        """Where the granted thing is that `path` leads to."""
        place = await self._place(path)
        if not (await self._rules()).grants(place):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return place

    async def _place(self, path: str, *, follow: bool = True) -> str:
        """`path` without links; unless told to `follow`, its last name may be that of a link.

        Raises FileNotFoundError if it is not shown, or a link on the way leads to what is not.
        """
        rules = await self._rules()
        if is_clean(path):
            rules.check(path, path)
            if await self._is_plain(path):
                return path
        above, _, name = path.rpartition("/")
        follow = follow or name in ("", ".", "..")
        walked = path if follow else above
        place = await follow_links_async(walked, partial(self._target, rules, path))
        if not follow:
            place = join(place, name)
        rules.check(place, path)
        return place

    async def _is_plain(self, path: str) -> bool:
        """Are there no links in `path`? Most often so, and that is one question instead of one for each
        name. If there are some, the answer is not used: it knows what lies outside."""
        try:
            return await self._io.resolve(path) == path
        except OSError:
            return False

    async def _target(self, rules: _Rules, path: str, step: str) -> str | None:
        rules.check(step, path)
        return await self._io._link_target(step)

    async def _refuse_target_outside(self, place: str, target: str, path: str) -> None:
        rules = await self._rules()
        try:
            await follow_links_async(place, partial(self._target, rules, path))
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            # A circle ends the walk, maybe before it came to all that is written in the target.
            written = target if target.startswith("/") else join(place.rpartition("/")[0], target)
            follow_links(written, lambda step: rules.check(step, path))

    async def _leading(self, rules: _Rules, place: str) -> dict[str, FileType]:
        entries = {}
        for name in rules.names_in(place):
            try:
                entries[name] = await self._io.file_type(join(place, name))
            except OSError as error:
                if not is_missing(error):
                    raise
        return entries

    async def _rules(self) -> _Rules:
        if self._known is None:
            try:
                allow = [await self._io.resolve(path) for path in self._allow]
                deny = [await self._io.resolve(path) for path in self._deny]
            except OSError as error:
                code = errno_of(error) or errno.EIO
                raise OSError(code, "cannot find out which files this evaluation may see") from error
            self._known = _Rules({*self._allow, *allow}, {*self._deny, *deny})
        return self._known


class _Rules:
    """Which paths, free of links, are shown."""

    def __init__(self, allow: set[str], deny: set[str]) -> None:
        self._allow = allow
        self._deny = deny
        self._leading = {above for path in allow for above in with_parents(path)}

    def grants(self, path: str) -> bool:
        parts = with_parents(path)
        return not self._allow.isdisjoint(parts) and self._deny.isdisjoint(parts)

    def shows(self, path: str) -> bool:
        return self.grants(path) or (path in self._leading and self._deny.isdisjoint(with_parents(path)))

    def check(self, place: str, path: str) -> None:
        """Raises FileNotFoundError, about `path`, if `place` is not shown."""
        if not self.shows(place):
            _refuse(path)

    def names_in(self, path: str) -> list[str]:
        """The names in a directory that lead to something granted."""
        below = join(path, "")
        found = {each[len(below) :] for each in self._leading if each != "/" and each.startswith(below)}
        return sorted(name for name in found if "/" not in name and self.shows(below + name))


def _paths(paths: Iterable[str]) -> list[str]:
    if isinstance(paths, str):
        raise TypeError("a list of paths is expected, not one path")
    return [checked(path) for path in paths]


def _refuse(path: str) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, "not among the files that this evaluation may see", path)
