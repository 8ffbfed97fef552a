"""Mount: backends at paths of one tree."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from aionix.io import EvalIO, FileReader, FileType, OpenEntry
from io_backends.memory import Memory, Node
from io_backends.overlay import Overlay
from io_backends.paths import checked, is_in, join
from io_backends.wrapper import Question, Wrapper

T = TypeVar("T")


class Mount(Overlay):
    """The files of each backend, at its path.

        Mount({"/": LocalDisk("/srv/configs"), "/nixpkgs": Git(url, "nixos-24.11")})

    What another backend has at and below a mount point is hidden. The directories on the way to one are
    there whatever else is, and list it. As in a kernel, links and `..` lead from one backend
    into another, and a target that begins with `/` begins at the root of the whole tree: a tree
    whose links begin at its own root is mounted at `/`, or has none that work.

    An environment variable, and where the store is, come from the first of `mounts` that knows.
    """

    def __init__(self, mounts: Mapping[str, EvalIO]) -> None:
        points = {checked(path): io for path, io in mounts.items()}
        # A mount within another lies above it.
        deepest_first = sorted(points, key=lambda point: -len(point.rstrip("/")))
        super().__init__(*[_At(point, points[point]) for point in deepest_first])
        self._settings = list(points.values())

    def _hides_all_below(self, layer: EvalIO, path: str) -> bool:
        return isinstance(layer, _At) and layer.point == path

    def get_env(self, name: str) -> str | None:
        return Overlay(*self._settings).get_env(name)

    def store_dir(self) -> str | None:
        return Overlay(*self._settings).store_dir()


class _At(Wrapper):
    """The files of `io`, below `point`; elsewhere there are only the directories that lead to it."""

    def __init__(self, point: str, io: EvalIO) -> None:
        super().__init__(io)
        self.point = point
        tree: dict[str, Node] = {}
        for name in reversed([name for name in point.split("/") if name]):
            tree = {name: tree}
        self._way = Memory(tree)

    async def ask(self, question: Question[T], path: str) -> T:
        return await question.put(*self._inner(path))

    async def file_type(self, path: str) -> FileType:
        return FileType.DIRECTORY if path == self.point else await super().file_type(path)

    async def resolve(self, path: str) -> str:
        if not is_in(path, self.point):
            return path
        return join(self.point, (await super().resolve(path)).strip("/")).rstrip("/") or "/"

    def open(self, path: str) -> AbstractAsyncContextManager[FileReader]:
        io, inner = self._inner(path)
        return io.open(inner)

    def open_range(
        self, path: str, start: int, size: int
    ) -> AbstractAsyncContextManager[FileReader]:
        io, inner = self._inner(path)
        return io.open_range(inner, start, size)

    def open_entry(
        self, path: str, kind: FileType | None = None
    ) -> AbstractAsyncContextManager[OpenEntry]:
        io, inner = self._inner(path)
        return io.open_entry(inner, kind)

    def _inner(self, path: str) -> tuple[EvalIO, str]:
        """Who knows about `path`, and under which name."""
        if not is_in(path, self.point):
            return self._way, path
        return self._io, path[len(self.point.rstrip("/")) :] or "/"
