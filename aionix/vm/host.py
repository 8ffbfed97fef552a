"""The outside world of one `Evaluation`, as impure builtins see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aionix.io import EvalIO
from aionix.source import SourceMap
from aionix.store.paths import copy_path
from aionix.values.strings import with_context
from aionix.vm.imports import Imports
from aionix.vm.search_path import Entry


@dataclass(slots=True, eq=False)
class Host:
    """What lives as long as the `Evaluation`: its IO, its sources, its settings.

    `imports` is the import cache. `trace` takes the messages of `trace` and `warn`.
    `search_path` is where `<name>` is looked up.
    """

    io: EvalIO
    sources: SourceMap
    imports: Imports
    trace: Callable[[str], None]
    search_path: list[Entry] = field(default_factory=list)
    pure: bool = False
    store_dir: str = "/nix/store"
    current_system: str = "x86_64-linux"
    abort_on_warn: bool = False
    trace_verbose: bool = False
    _copied: dict[str, str] = field(default_factory=dict)

    async def copy_to_store(self, path: str) -> str:
        """The store path of the file or tree at `path`, a string with itself as its context."""
        copied = self._copied.get(path)
        if copied is None:
            store_path = await self.io.import_path(path) or await copy_path(self.io, path, self.store_dir)
            copied = self._copied[path] = with_context(store_path, frozenset((store_path,)))
        return copied
