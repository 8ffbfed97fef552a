"""A backend of your own: the files are the keys of a mapping, as in an object store.

Prints:
    {'colour': 'green', 'files': ['default.nix', 'theme']}
"""

import asyncio
import errno
from collections.abc import Mapping

import aionix
from aionix.io import EvalIO, FileType


class KeyValue(EvalIO):
    """The entries of `store`, whose keys are paths without the first slash; the mapping may be a database.

    Three methods make a backend. tests/test_examples.py puts this one through `io_backends.contract`.
    """

    def __init__(self, store: Mapping[str, bytes]) -> None:
        self._store = store

    async def read(self, path: str) -> bytes:
        if await self.file_type(path) is FileType.DIRECTORY:
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        return self._store[path[1:]]

    async def file_type(self, path: str) -> FileType:
        if path[1:] in self._store:
            return FileType.REGULAR
        if path == "/" or self._below(path):
            return FileType.DIRECTORY
        raise FileNotFoundError(errno.ENOENT, "no such key", path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        if await self.file_type(path) is FileType.REGULAR:
            raise NotADirectoryError(errno.ENOTDIR, "is not a directory", path)
        parts = [rest.partition("/") for rest in self._below(path)]
        return {name: FileType.DIRECTORY if slash else FileType.REGULAR for name, slash, _ in parts}

    def _below(self, path: str) -> list[str]:
        prefix = path[1:] and path[1:] + "/"
        return [key.removeprefix(prefix) for key in self._store if key.startswith(prefix)]


STORE = {
    "default.nix": b"{ colour = import ./theme; files = builtins.attrNames (builtins.readDir ./.); }",
    "theme/default.nix": b'"green"',
}


async def main() -> None:
    print((await aionix.evaluate_file("/", io=KeyValue(STORE))).to_python())


if __name__ == "__main__":
    asyncio.run(main())
