"""The code of files: compiled once, and found again in a `CodeCache` by every later process.

What code depends on is in its key: the text, where it lies (relative paths and `__curPos` are
constants of the code), the names of globals, the grammar, and who compiled it: the sources of the
compiler are part of the key, as are the versions of this package and of Python.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache, partial
from hashlib import sha256
from pathlib import Path as FilePath
from threading import Thread
from typing import NamedTuple

import anyio.to_thread

from aionix._version import __version__
from aionix.bytecode import image
from aionix.bytecode.cache import CodeCache
from aionix.bytecode.chunk import Lambda
from aionix.compiler import CompileResult
from aionix.source import Source
from aionix.syntax import ParseOptions
from aionix.values.paths import Path
from aionix.vm.fiber import running
from aionix.warnings import EvalWarning

_PACKAGE = FilePath(__file__).parent
#: Where it is decided which code a text becomes.
_COMPILER = ("source.py", "warnings.py", "syntax", "compiler", "bytecode", "values/paths.py")


def default_directory() -> str | None:
    """Where the XDG Base Directory Specification wants caches; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # such a one is to be ignored, it says
        base = os.path.expanduser("~/.cache")
    return os.path.join(base, "aionix", "code") if os.path.isabs(base) else None


class _New(NamedTuple):
    """What is to be kept."""

    key: bytes
    code: Lambda
    warnings: list[EvalWarning]
    base: int


class FileCode:
    """The code of files in `cache`, that are parsed with `options`.

    With `threads=False` the event loop stands still while `cache` is read.
    """

    def __init__(self, cache: CodeCache, options: ParseOptions, threads: bool) -> None:
        self._cache = cache
        self._threads = threads
        self._grammar = b"pipes" if options.pipe_operators else b""
        self._new: list[_New] = []

    def of(
        self, source: Source, names: Iterable[str], compiled: Callable[[], CompileResult]
    ) -> CompileResult:
        """The code of a file: kept, or else `compiled()`. Runs in a fiber."""
        find = partial(self._find, source, frozenset(names))
        if self._threads:
            key, found = running().suspend(anyio.to_thread.run_sync(find, abandon_on_cancel=True))
        else:
            key, found = find()
        if found is not None:
            code, warnings = image.load(found, source.base, Path)
            return CompileResult(code, [], warnings)
        result = compiled()
        if result.code is not None:
            self._new.append(_New(key, result.code, result.warnings, source.base))
        return result

    def save(self) -> None:
        """Keeps what was compiled since the last time; in the background, the process ends after it."""
        if self._new:
            Thread(target=self._cache.store, args=(_images(self._new),), name="aionix code cache").start()
            self._new = []

    def _find(self, source: Source, names: frozenset[str]) -> tuple[bytes, memoryview | None]:
        text = source.text.encode("latin-1")
        name = source.name.encode("utf-8", "surrogateescape")
        key = sha256(b"\0".join([_compiler(), _scope(names), self._grammar, name, text])).digest()
        return key, self._cache.load(key)


def _images(new: list[_New]) -> Iterator[tuple[bytes, bytes]]:
    for key, code, warnings, base in new:
        with suppress(OverflowError):  # a source of gigabytes
            yield key, image.dump(code, warnings, base)


@cache
def _compiler() -> bytes:
    """A digest of what makes code, and of the form in which it is kept."""
    digest = sha256(f"{image.FORMAT} {__version__} {sys.version} {sys.byteorder}".encode())
    with suppress(OSError):  # installed without its sources, it changes with its version only
        for part in _COMPILER:
            path = _PACKAGE / part
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                if file.suffix in (".py", ".lark"):
                    digest.update(file.read_bytes())
    return digest.digest()


@lru_cache(maxsize=64)
def _scope(names: frozenset[str]) -> bytes:
    return sha256(ascii(sorted(names)).encode()).digest()
