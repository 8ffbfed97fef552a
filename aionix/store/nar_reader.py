"""Reads NARs: what is in one, found as its bytes come in, and nothing that could not have been written.

As C++ Nix, this refuses names that are out of order or could not be in a directory, padding that is not
zero, and unknown words; and, as it is strict, a file without contents and bytes after the end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple

from aionix.errors import ConversionError
from aionix.io import MAX_PATH, FileType

# What the grammar asks for: so many bytes, to be looked at; or, negative, contents to be passed on.
_Parsing = Generator[int, bytes, None]
# The longest word of the format is `nix-archive-1`.
_MAX_WORD = 16


class NarEntry(NamedTuple):
    """One file, directory or link of a NAR.

    `path` is relative to the root, which is `""`. A regular file's contents are the `size` bytes at
    `offset` of the NAR.
    """

    path: str
    kind: FileType
    executable: bool = False
    size: int = 0
    offset: int = 0
    target: str = ""


def nar_entries(data: bytes) -> list[NarEntry]:
    """What is in a whole NAR, parents first, in its order. Raises ConversionError."""
    found: list[NarEntry] = []
    reader = NarReader(found.append)
    reader.feed(data)
    reader.close()
    return found


class NarReader:
    """Takes a NAR piece by piece, and calls `entry` with whatever begins in it.

    `contents`, if given, gets the bytes of each regular file, after its entry, in pieces. No more than
    a word is kept. Raises ConversionError, after which the reader is of no more use.
    """

    def __init__(
        self, entry: Callable[[NarEntry], None], contents: Callable[[bytes], None] | None = None
    ) -> None:
        self._entry = entry
        self._contents = contents
        self._offset = 0
        self._word_so_far = b""
        self._parser = self._archive()
        #: Bytes still to come of what the parser asked for; None after the end.
        self._missing: int | None = next(self._parser)

    def feed(self, data: bytes) -> None:
        """Reads on."""
        at = 0
        while at < len(data):
            if self._missing is None:
                raise _bad("there are bytes after its end")
            piece = data[at : at + abs(self._missing)]
            at += len(piece)
            self._offset += len(piece)
            self._take(piece, self._missing)

    def close(self) -> None:
        """Says that this was all."""
        if self._missing is not None:
            raise _bad("unexpected end-of-file")

    def _take(self, piece: bytes, missing: int) -> None:
        if missing < 0:
            self._missing = missing + len(piece)
            if self._contents is not None:
                self._contents(piece)
        else:
            self._missing = missing - len(piece)
            self._word_so_far += piece
        if self._missing == 0:
            word, self._word_so_far = self._word_so_far, b""
            try:
                self._missing = self._parser.send(word)
            except StopIteration:
                self._missing = None

    # What follows is the grammar, as generators that ask for bytes.

    def _archive(self) -> _Parsing:
        if (yield from self._word()) != b"nix-archive-1":
            raise ConversionError("input doesn't look like a Nix archive")
        # The directories that are being read, and the last name in each: no deep stack is needed.
        inside: list[tuple[str, bytes]] = []
        path = ""
        while True:
            if (yield from self._node(path)):
                inside.append((path, b""))
            elif inside:
                yield from self._expect(b")")
            while inside and not (yield from self._another()):
                inside.pop()
                if inside:
                    yield from self._expect(b")")
            if not inside:
                return
            directory, last = inside[-1]
            name = yield from self._name(last)
            inside[-1] = directory, name
            path = _joined(directory, name)

    def _node(self, path: str) -> Generator[int, bytes, bool]:
        """Reads a file or link, or the beginning of a directory: True."""
        yield from self._expect(b"(", b"type")
        kind = yield from self._word()
        if kind == b"directory":
            self._entry(NarEntry(path, FileType.DIRECTORY))
            return True
        if kind == b"symlink":
            yield from self._link(path)
        elif kind == b"regular":
            yield from self._file(path)
        else:
            raise _bad(f"unknown file type '{_shown(kind)}'")
        yield from self._expect(b")")
        return False

    def _link(self, path: str) -> _Parsing:
        yield from self._expect(b"target")
        target = yield from self._word(MAX_PATH)
        if b"\0" in target:
            raise _bad(f"invalid link target '{_shown(target)}'")
        text = target.decode("utf-8", "surrogateescape")
        self._entry(NarEntry(path, FileType.SYMLINK, target=text))

    def _file(self, path: str) -> _Parsing:
        word = yield from self._word()
        executable = word == b"executable"
        if executable:
            if (yield from self._word()):
                raise _bad("executable marker has non-empty value")
            word = yield from self._word()
        if word != b"contents":
            raise _unexpected("'contents'", word)
        size = yield from self._number()
        self._entry(NarEntry(path, FileType.REGULAR, executable, size, self._offset))
        if size:
            yield -size
            yield from self._padding(size)

    def _another(self) -> Generator[int, bytes, bool]:
        """Is there another entry in the directory?"""
        word = yield from self._word()
        if word not in (b"entry", b")"):
            raise _unexpected("'entry' or ')'", word)
        return word == b"entry"

    def _name(self, last: bytes) -> Generator[int, bytes, bytes]:
        yield from self._expect(b"(", b"name")
        name = yield from self._word(MAX_PATH)
        if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
            raise _bad(f"NAR contains invalid file name '{_shown(name)}'")
        if name <= last:
            raise _bad("NAR directory is not sorted")
        yield from self._expect(b"node")
        return name

    def _expect(self, *words: bytes) -> _Parsing:
        for word in words:
            found = yield from self._word()
            if found != word:
                raise _unexpected(f"'{word.decode()}'", found)

    def _word(self, limit: int = _MAX_WORD) -> Generator[int, bytes, bytes]:
        size = yield from self._number()
        if size > limit:
            raise _bad(f"a string of {size} bytes is too long here")
        if not size:
            return b""
        word = yield size
        yield from self._padding(size)
        return word

    def _number(self) -> Generator[int, bytes, int]:
        return int.from_bytes((yield 8), "little")

    def _padding(self, size: int) -> _Parsing:
        if size % 8 and any((yield -size % 8)):
            raise _bad("non-zero padding")


def _joined(directory: str, name: bytes) -> str:
    path = (f"{directory}/" if directory else "") + name.decode("utf-8", "surrogateescape")
    if len(path) > MAX_PATH:
        raise _bad(f"the path '{path[:64]}...' is too long")
    return path


def _unexpected(expected: str, found: bytes) -> ConversionError:
    return _bad(f"expected tag {expected}, got '{_shown(found)}'")


def _shown(word: bytes) -> str:
    return word[:64].decode("utf-8", "replace")


def _bad(problem: str) -> ConversionError:
    return ConversionError(f"bad archive: {problem}")
