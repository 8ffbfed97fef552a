"""Nar: the files in a Nix archive, read where they are.

The format is Nix's own, and `aionix.store.nar_reader` reads it, strictly. So this backend knows that room,
too, and the error it raises: it is arithmetic without IO, and a second reader would be a second
answer to what a sound NAR is.
"""

from __future__ import annotations

from aionix.errors import ConversionError
from aionix.io import FileType
from aionix.store.nar_reader import NarEntry, NarReader
from io_backends.indexed import Directory, Node
from io_backends.memory import Symlink
from io_backends.stored import PIECE, Opener, Packed, section


class Nar(Packed):
    """The file or tree in a NAR (plain, or compressed by gzip, bzip2, xz or zstd), which is at `/`.

        Nar("hello.nar.xz")
        Nar("/nar/hello.nar", io=Http("https://cache.example.org"))

    `source` is a path of this machine, the bytes, or a path in the backend `io`, from which it is fetched
    whole when it is first looked at. Then it is read through once: a NAR that Nix could not have
    written is refused as a whole (EINVAL), as is one of more than `max_entries`. Later, contents are read
    at their offsets. The bounds are those of `Archive`. (Format: E. Dolstra, "The Purely Functional
    Software Deployment Model", figure 5.2)
    """

    def _index(self, source: Opener) -> Node:
        return nar_tree(source, self._max_entries)


def nar_tree(source: Opener, max_entries: int) -> Node:
    """What is in the NAR that `source` opens. Blocks. Raises ValueError if it is not sound."""
    tree = _Tree(source, max_entries)
    reader = NarReader(tree.add)
    try:
        with source() as file:
            while piece := file.read(PIECE):
                reader.feed(piece)
        reader.close()
    except ConversionError as error:
        raise ValueError(str(error).removeprefix("bad archive: ")) from error
    return tree.top[""]


class _Tree:
    """What was met of a NAR: parents come first."""

    def __init__(self, source: Opener, max_entries: int) -> None:
        self.top: Directory = {}
        self._directories: dict[str, Directory] = {}
        self._source = source
        self._max_entries = max_entries
        self._entries = 0

    def add(self, entry: NarEntry) -> None:
        self._entries += 1
        if self._entries > self._max_entries:
            raise ValueError(f"it has more than {self._max_entries} entries")
        above, _, name = entry.path.rpartition("/")
        directory = self._directories[above] if entry.path else self.top
        directory[name] = node = self._node(entry)
        if isinstance(node, dict):
            self._directories[entry.path] = node

    def _node(self, entry: NarEntry) -> Node:
        if entry.kind is FileType.DIRECTORY:
            return {}
        if entry.kind is FileType.SYMLINK:
            return Symlink(entry.target)
        return section(self._source, entry.offset, entry.size, entry.executable)
