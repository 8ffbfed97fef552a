"""The Nix search path: `-I`, NIX_PATH, and how `<name>` finds its file.

Rules: Nix manual, "Lookup path" and `builtins.findFile`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from posixpath import join
from typing import NamedTuple

from aionix.errors import NixPathResolution
from aionix.io import EvalIO, is_missing
from aionix.values.paths import clean
from aionix.vm.file_errors import resolved_file_error
from aionix.vm.store_files import INTERNAL


class Entry(NamedTuple):
    """Where names that begin with `prefix` are looked up; an empty prefix fits every name.

    `path` is what was written, `place` the absolute path it means: None for a URL, under which
    nothing is found.
    """

    prefix: str
    path: str
    place: str | None


_URL = r"(?:channel:|flake:|(?:https?|file|channel|git|s3|ssh)://)"
_IS_URL = re.compile(_URL)
# Entries end at a colon, but the one in a URL's beginning belongs to it.
_NIX_PATH_ENTRY = re.compile(rf"(?:[^:]*=)?{_URL}?[^:]*")


def split_nix_path(text: str) -> list[str]:
    """The entries of a NIX_PATH variable; empty ones are dropped."""
    return [entry for entry in _NIX_PATH_ENTRY.findall(text) if entry]


def parse_search_path(entries: Iterable[str], cwd: str) -> list[Entry]:
    """What `prefix=path` and bare `path` mean; relative paths begin at `cwd`."""
    return [_parse_entry(entry, cwd) for entry in entries]


def _parse_entry(entry: str, cwd: str) -> Entry:
    prefix, equals, path = entry.partition("=")
    if not equals:
        prefix, path = "", entry
    return Entry(prefix, path, None if _IS_URL.match(path) else join(cwd, path))


async def find_file(io: EvalIO, entries: Iterable[Entry], name: str, *, pure: bool = False) -> str:
    """Where `name` is: the first entry that has it wins; links are resolved.

    A prefix fits whole components: `nixpkgs` does not fit `nixpkgs-x`. Raises NixPathResolution
    (which `tryEval` catches) if there is none, FileError if looking failed.
    """
    for entry in entries:
        rest = _below(entry.prefix, name)
        if rest is not None and entry.place is not None:
            found = await _resolved(io, clean(entry.place + clean("/" + rest)))
            if found is not None:
                return found
    if name.startswith("nix/") and await io.path_exists(INTERNAL + name[3:]):
        return INTERNAL + name[3:]
    raise NixPathResolution(_not_found(name, pure))


def _below(prefix: str, name: str) -> str | None:
    """What `name` has below `prefix`; None if it is elsewhere."""
    if not prefix or name == prefix:
        return name[len(prefix) :]
    return name[len(prefix) + 1 :] if name.startswith(prefix + "/") else None


async def _resolved(io: EvalIO, path: str) -> str | None:
    try:
        found = await io.resolve(path)
        await io.file_type(found)
    except OSError as error:
        if is_missing(error):
            return None
        raise await resolved_file_error(io, error, path) from error
    return found


def _not_found(name: str, pure: bool) -> str:
    if pure:
        return f"cannot look up '<{name}>' in pure evaluation mode (use '--impure' to override)"
    return f"file '{name}' was not found in the Nix search path (add it using $NIX_PATH or -I)"
