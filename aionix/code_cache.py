"""The code of files: compiled once, and found again in a `CodeCache` by every later process.

What code depends on is in its key: the text, where it lies (relative paths and `__curPos` are
constants of the code), the names of globals, the grammar, and who compiled it: the sources of the
compiler are part of the key, as are the versions of this package and of Python.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, lru_cache, partial
from hashlib import sha256
from threading import Thread
from typing import NamedTuple, TypeAlias, cast

import anyio.to_thread

from aionix._version import __version__
from aionix.bytecode import image
from aionix.bytecode.cache import CodeCache
from aionix.bytecode.chunk import Lambda, Native
from aionix.compiler import CompileResult, Text
from aionix.source import Source
from aionix.syntax import ParseOptions
from aionix.values.paths import Path
from aionix.vm.engine import Unit
from aionix.vm.fiber import running
from aionix.warnings import EvalWarning

_PACKAGE = os.path.dirname(__file__)
#: Where it is decided which code a text becomes.
_COMPILER = ("source.py", "warnings.py", "syntax", "compiler", "bytecode", "native", "vm", "values")
#: What may be spent on Python code for the next process, however short the evaluation was.
MIN_SECONDS = 1.0


def default_directory() -> str | None:
    """Where the XDG Base Directory Specification wants caches; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # such a one is to be ignored, it says
        base = os.path.expanduser("~/.cache")
    return os.path.join(base, "aionix", "code") if os.path.isabs(base) else None


#: Makes Python code of a unit, to be kept.
Translate: TypeAlias = "Callable[[Unit], Native | None]"


class _New(NamedTuple):
    """What is to be kept."""

    key: bytes
    code: Lambda
    warnings: Sequence[EvalWarning]
    paths: tuple[str, ...]
    base: int


class FileCode:
    """The code of files in `cache`, that are parsed with `options`.

    With `threads=False` the event loop stands still while `cache` is read. The code of a file that is
    found there has come back: what runs of it is made Python code by `translate`, for the next process.
    """

    def __init__(
        self, cache: CodeCache, options: ParseOptions, threads: bool, translate: Translate | None
    ) -> None:
        self._cache = cache
        self._threads = threads
        self._translate = translate
        self._grammar = b"pipes" if options.pipe_operators else b""
        self._new: list[_New] = []
        self._keys: dict[image.Reader, bytes] = {}
        self._time = time.process_time()

    def of(self, text: Text, own_scope: bool, compiled: Callable[[], CompileResult]) -> CompileResult:
        """The code of a file: kept, or else `compiled()`. Runs in a fiber.

        With an `own_scope` of globals, only bytecode is taken and kept.
        """
        source = text.source
        find = partial(self._find, source, text.global_names)
        if self._threads:
            key, found = running().suspend(anyio.to_thread.run_sync(find, abandon_on_cancel=True))
        else:
            key, found = find()
        if found is not None:
            code, warnings, paths = image.load(found, source.base, Path, text.later)
            if own_scope or self._translate is None:
                code.reader.forget_natives()
            if not own_scope:
                self._keys[code.reader] = key
            return CompileResult(code, [], warnings, paths)
        result = compiled()
        if result.code is not None:
            self._new.append(_New(key, result.code, result.warnings, result.paths, source.base))
        return result

    def save(self, ran: list[Unit]) -> None:
        """Keeps what was compiled since the last time, and makes Python code of the units that ran.

        In the background, for at most as long as the evaluation took; the process ends after it.
        """
        now = time.process_time()
        took, self._time = now - self._time, now
        units = [unit for unit in ran if self._reader(unit) in self._keys]
        if self._new or units:
            new, self._new = self._new, []
            Thread(target=self._save, args=(new, units, took), name="aionix code cache").start()

    def _save(self, new: list[_New], units: list[Unit], seconds: float) -> None:
        self._cache.store(_images(new))
        self._cache.store(self._grown(units, time.thread_time() + max(seconds, MIN_SECONDS)))

    def _grown(self, units: list[Unit], end: float) -> Iterator[tuple[bytes, bytes]]:
        """Images with the Python code of `units`, of those that ran most if time is short; and with the
        chunks that they did not have."""
        natives: dict[image.Reader, dict[int, Native]] = {self._reader(unit): {} for unit in units}
        if self._translate is not None:
            for unit in sorted(units, key=lambda unit: unit.fuel):
                if time.thread_time() > end:
                    break
                native = self._translate(unit)
                if native is not None:
                    natives[self._reader(unit)][cast(image.StoredLambda, unit.code).offset] = native
        for reader, found in natives.items():
            if found or reader.written:
                yield self._keys[reader], reader.add(found)

    @staticmethod
    def _reader(unit: Unit) -> image.Reader:
        return cast(image.StoredLambda, unit.code).reader

    def _find(self, source: Source, names: frozenset[str]) -> tuple[bytes, memoryview | None]:
        text = source.text.encode("latin-1")
        name = source.name.encode("utf-8", "surrogateescape")
        key = sha256(b"\0".join([_compiler(), _scope(names), self._grammar, name, text])).digest()
        return key, self._cache.load(key)


def _images(new: list[_New]) -> Iterator[tuple[bytes, bytes]]:
    for key, code, warnings, paths, base in new:
        with suppress(OverflowError):  # a source of gigabytes
            yield key, image.dump(code, warnings, paths, base)


@cache
def _compiler() -> bytes:
    """A digest of what makes code, and of the form in which it is kept."""
    digest = sha256(f"{image.FORMAT} {__version__} {sys.version} {sys.byteorder}".encode())
    with suppress(OSError):  # installed without its sources, it changes with its version only
        for part in _COMPILER:
            for path in _sources(os.path.join(_PACKAGE, part)):
                digest.update(_content(path))
    return digest.digest()


def _sources(path: str) -> list[str]:
    if path.endswith(".py"):
        return [path]
    return [f"{path}/{name}" for name in sorted(os.listdir(path)) if name.endswith((".py", ".lark"))]


def _content(path: str) -> bytes:
    # Every process does this, for 84 files: with `open` it takes twice as long, 2 ms.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)


@lru_cache(maxsize=64)
def _scope(names: frozenset[str]) -> bytes:
    return sha256(ascii(sorted(names)).encode()).digest()
