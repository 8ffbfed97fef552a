"""Where an evaluation's files come from: adapters behind `aionix.io.EvalIO`.

    LocalDisk   this machine's files, or those under one directory
    Memory      a tree of Python dicts
    Archive     what is in a tar or zip                          (extra `zstd`)
    Nar         what is in a Nix archive                         (extra `zstd`)
    BinaryCache the store paths of a binary cache                (extra `signatures`)
    Http        a server's files: plain, listed, or a forge's    (extra `http`)
    Git         a commit of a repository, local or fetched       (extra `git`)
    S3          a bucket, or what is below a prefix of it        (extra `s3`)
    Sftp        a directory of another machine                   (extra `sftp`)
    Fsspec      any file system of fsspec                        (extra `fsspec`)
    Sealed      nothing at all
    Overlay     several backends on top of each other
    Mount       several backends, each at its path
    Cache       another backend, whose answers are kept in memory and on disk
    Restricted  a part of another backend, and no way out of it
    Recording   another backend, and its answers as a file
    Replay      the answers in such a file
    Tracing     another backend, and what is asked of it
    WritableDisk, WritableMemory   a directory and a tree that can also be written to
    contract    the checks that every backend passes, ours and yours

They know `aionix.io` and nothing else of aionix; but for `Nar` and `BinaryCache`, which read formats
of Nix's own and know the arithmetic of `aionix.store`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io_backends.archive import Archive as Archive
    from io_backends.binary_cache import BinaryCache as BinaryCache
    from io_backends.cache import Cache as Cache
    from io_backends.fsspec import Fsspec as Fsspec
    from io_backends.git import Git as Git
    from io_backends.http import Http as Http
    from io_backends.local import LocalDisk as LocalDisk
    from io_backends.memory import Executable as Executable
    from io_backends.memory import Memory as Memory
    from io_backends.memory import Symlink as Symlink
    from io_backends.mount import Mount as Mount
    from io_backends.nar import Nar as Nar
    from io_backends.overlay import Overlay as Overlay
    from io_backends.recording import Recording as Recording
    from io_backends.recording import Replay as Replay
    from io_backends.restricted import Restricted as Restricted
    from io_backends.s3 import S3 as S3
    from io_backends.sealed import Sealed as Sealed
    from io_backends.sftp import Sftp as Sftp
    from io_backends.tracing import Tracing as Tracing
    from io_backends.writable import WritableDisk as WritableDisk
    from io_backends.writable import WritableMemory as WritableMemory

# Imported when asked for: LocalDisk brings aiofiles and asyncio, 30 ms, which an evaluation that reads
# no disk, or runs on trio, should not make the event loop wait for; others need an extra.
_MODULES = {
    "Archive": "archive",
    "BinaryCache": "binary_cache",
    "Cache": "cache",
    "Executable": "memory",
    "Fsspec": "fsspec",
    "Git": "git",
    "Http": "http",
    "LocalDisk": "local",
    "Memory": "memory",
    "Mount": "mount",
    "Nar": "nar",
    "Overlay": "overlay",
    "Recording": "recording",
    "Replay": "recording",
    "Restricted": "restricted",
    "S3": "s3",
    "Sealed": "sealed",
    "Sftp": "sftp",
    "Symlink": "memory",
    "Tracing": "tracing",
    "WritableDisk": "writable",
    "WritableMemory": "writable",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(f"io_backends.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


def default_io() -> "LocalDisk":
    """What a command line tool of Nix sees: every file of this machine, and the environment."""
    from io_backends.local import LocalDisk

    return LocalDisk(env=True)
