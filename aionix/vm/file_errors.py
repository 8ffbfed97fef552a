"""What Nix says when a file cannot be looked at: the one table from `OSError` to words."""

from __future__ import annotations

import errno
from enum import Enum, auto

from aionix.errors import FileError
from aionix.io import EvalIO, errno_of, is_missing, reason

# What the system finds out only after it has opened the file.
_AFTER_OPENING = (errno.EISDIR, errno.EFBIG, errno.EIO)


class Doing(Enum):
    """What was being done when the error came."""

    READ = auto()
    LIST = auto()
    STATUS = auto()


def file_error(error: OSError, path: str, doing: Doing = Doing.READ) -> FileError:
    """The error to raise, about `path` as it stands."""
    return FileError(_message(error, path, doing), path)


async def resolved_file_error(
    io: EvalIO, error: OSError, path: str, doing: Doing = Doing.READ
) -> FileError:
    """The error to raise, about the file that the links of `path` lead to, as C++ Nix names it."""
    try:
        return file_error(error, await io.resolve(path), doing)
    except OSError as trouble:
        if trouble.errno != errno.ELOOP and isinstance(trouble.filename, str):
            path = trouble.filename
        return file_error(trouble, path, Doing.STATUS)


def _message(error: OSError, path: str, doing: Doing) -> str:
    code = errno_of(error)
    if code == errno.ELOOP:
        return f"infinite symlink recursion in path '{path}'"
    if doing is Doing.LIST:
        return f"reading directory {path}: {reason(error)}"
    if doing is Doing.READ:
        verb = "reading from" if code in _AFTER_OPENING else "opening"
        return f"{verb} file '{path}': {reason(error)}"
    if is_missing(error):
        return f"path '{path}' does not exist"
    return f"getting status of '{path}': {reason(error)}"
