"""Listings: what is in a NAR, and where, as JSON that lies beside the narinfo.

(C++ Nix writes them with `write-nar-listing=true`.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

from aionix.io import MAX_PATH
from io_backends.indexed import File, Node
from io_backends.memory import Symlink
from io_backends.paths import checked_name

#: The file of so many bytes, at that offset of the NAR, executable or not.
MakeFile: TypeAlias = Callable[[int, int, bool], File]

# Two for each directory. Much deeper, the C code that reads JSON could leave its stack.
_MAX_DEPTH = 500
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|([{\[])|([}\]])')
# What stands before contents in a NAR at least: the magic, and `( type regular contents` and a size.
_HEAD = 24 + 16 + 16 + 16 + 16 + 8


def listed_tree(data: bytes, nar_size: int, max_entries: int, file: MakeFile) -> Node:
    """The tree that a listing tells of. Raises ValueError."""
    text = data.decode("utf-8", "surrogateescape")
    if _depth(text) > _MAX_DEPTH:
        raise ValueError("it is nested too deep")
    listing = json.loads(text)
    if not isinstance(listing, dict) or listing.get("version") != 1:
        raise ValueError("its version is not 1")
    return _Listing(nar_size, max_entries, file).node(listing.get("root"))


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _NESTING.finditer(text):
        depth += (found[1] is not None) - (found[2] is not None)
        deepest = max(deepest, depth)
    return deepest


class _Listing:
    def __init__(self, nar_size: int, max_entries: int, file: MakeFile) -> None:
        self._nar_size = nar_size
        self._left = max_entries
        self._file = file

    def node(self, entry: object) -> Node:
        self._left -= 1
        if self._left < 0:
            raise ValueError("it has too many entries")
        fields = entry if isinstance(entry, dict) else {}
        match fields.get("type"):
            case "directory":
                return self._directory(fields.get("entries"))
            case "symlink":
                return _link(fields.get("target"))
            case "regular":
                return self._regular(fields)
        raise ValueError("an entry has no type that is known")

    def _directory(self, entries: object) -> Node:
        if not isinstance(entries, dict):
            raise ValueError("a directory has no entries")
        return {checked_name(name): self.node(entry) for name, entry in entries.items()}

    def _regular(self, fields: dict[str, object]) -> Node:
        size = _number(fields.get("size"))
        start = _number(fields.get("narOffset"))
        if start < _HEAD or start + size > self._nar_size:
            raise ValueError("a file is not inside of the NAR")
        return self._file(start, size, fields.get("executable") is True)


def _link(target: object) -> Symlink:
    if not isinstance(target, str) or len(target) > MAX_PATH or "\0" in target:
        raise ValueError("a link has no target that is allowed")
    return Symlink(target)


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError("a size or an offset is missing")
    return value
