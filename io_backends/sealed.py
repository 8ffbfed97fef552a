"""Sealed: no outside world."""

from __future__ import annotations

import errno
from typing import NoReturn

from aionix.io import EvalIO, FileType


class Sealed(EvalIO):
    """Refuses every look at a file with PermissionError, whether there is one or not.

    That a path exists is not told either, so nothing can be probed. The environment is empty.
    """

    async def read(self, path: str) -> bytes:
        _refuse(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        _refuse(path)

    async def file_type(self, path: str) -> FileType:
        _refuse(path)

    async def read_link(self, path: str) -> str:
        _refuse(path)

    async def is_executable(self, path: str) -> bool:
        _refuse(path)


def _refuse(path: str) -> NoReturn:
    raise PermissionError(errno.EACCES, "this evaluation has no access to files", path)
