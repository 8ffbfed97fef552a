"""Manifest: a document beside the files that says what there is."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from io_backends.http.client import Client
from io_backends.http.documents import Entry, read_object
from io_backends.http.nodes import File, Link, Listed, Node, Tree, Unlisted, Walk, grown

VERSION = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A server with a document that lists every file; one request tells all kinds, links and sizes.

        Http("https://example.org/site", Manifest())       # made by make_manifest

    The document is JSON, and its words are those of a binary cache's `.ls` files:

        {"version": 1, "entries": [
            {"path": "lib/default.nix", "type": "regular", "size": 120, "sha256": "9f86d0..."},
            {"path": "bin/run", "type": "regular", "size": 40, "executable": true},
            {"path": "current", "type": "symlink", "target": "lib"},
            {"path": "empty", "type": "directory"}]}

    `path` is relative to the root, with `/` between names; `target` is as in the link. A directory needs an
    entry only if it is empty. `size` (bytes), `executable` and `sha256` (hexadecimal) may be left out; size
    and hash are checked, and a file that has changed since is ESTALE. Names that are not UTF-8 have
    surrogates, as in Python. `name` is where the document is, below the root.
    """

    name: str = NAME

    def tree(self, client: Client) -> Tree:
        return Walk(Unlisted(partial(self._load, client), client.max_age), links=True)

    async def _load(self, client: Client) -> Mapping[str, Node]:
        listing = await client.document(client.url_of("/" + self.name))
        return await client.understood(partial(_entries, client), listing.body)


def _entries(client: Client, data: bytes) -> Mapping[str, Node]:
    document = read_object(data, "entries")
    if document.members.get("version") != VERSION:
        raise ValueError(f"it is no manifest of version {VERSION}")
    items = ((entry.text("path"), _node(client, entry)) for entry in document.entries)
    return grown(items, client.max_entries).names


def _node(client: Client, entry: Entry) -> Node:
    match entry.text("type"):
        case "regular":
            digest = "sha256:" + entry.text("sha256").lower() if "sha256" in entry else None
            url = client.url_of("/" + entry.text("path"))
            return File(url, entry.number("size"), entry.get("executable") is True, digest)
        case "symlink":
            return Link(entry.text("target"))
        case "directory":
            return Listed()
    raise ValueError(f"the type {entry.text('type')[:99]!r} is not known")


def make_manifest(directory: str | os.PathLike[str], *, name: str = NAME) -> bytes:
    """The manifest of a directory of this machine; a file `name` at its top is left out.

        Path("site/manifest.json").write_bytes(make_manifest("site"))

    It reads every file, and blocks meanwhile. OSError, EINVAL, for what is neither file, directory nor link.
    """
    root = Path(directory)
    entries = [entry for entry in _described(root, "") if entry["path"] != name]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    return f'{{"version": {VERSION}, "entries": [\n{lines}\n]}}\n'.encode()


def _described(directory: Path, above: str) -> Iterator[dict[str, object]]:
    for path in sorted(directory.iterdir()):
        inside = above + path.name
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield {"path": inside, "type": "directory"}
            yield from _described(path, inside + "/")
        elif stat.S_ISLNK(mode):
            yield {"path": inside, "type": "symlink", "target": os.readlink(path)}
        elif stat.S_ISREG(mode):
            yield _regular(path, inside, executable=bool(mode & stat.S_IXUSR))
        else:
            raise OSError(errno.EINVAL, "neither file, directory nor link", str(path))


def _regular(path: Path, inside: str, *, executable: bool) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        entry: dict[str, object] = {"path": inside, "type": "regular", "size": file.tell(), "sha256": digest}
    return entry | {"executable": True} if executable else entry
