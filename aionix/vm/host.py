"""The outside world of one `Evaluation`, as impure builtins see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aionix.errors import NotAvailable
from aionix.io import EvalIO
from aionix.source import SourceMap
from aionix.store.virtual import VirtualStore
from aionix.vm.imports import Imports
from aionix.vm.search_path import Entry
from aionix.vm.sources import Copied, Copy, Sources, load_derivation


@dataclass(slots=True, eq=False)
class Host:
    """What lives as long as the `Evaluation`: its IO, its sources, its settings.

    `imports` is the import cache. `trace` takes the messages of `trace` and `warn`.
    `search_path` is where `<name>` is looked up. `store` has what was put into it; `io` sees that
    too. `features` are the experimental ones that are on. `drafts` are the derivations that were made, by all
    that went into them.
    """

    io: EvalIO
    sources: SourceMap
    store: VirtualStore
    imports: Imports
    trace: Callable[[str], None]
    search_path: list[Entry] = field(default_factory=list)
    pure: bool = False
    current_system: str = "x86_64-linux"
    abort_on_warn: bool = False
    trace_verbose: bool = False
    features: frozenset[str] = frozenset()
    drafts: dict[tuple[object, ...], str] = field(default_factory=dict)
    _copies: Sources = field(init=False)

    def __post_init__(self) -> None:
        self._copies = Sources(self.io, self.store)

    @property
    def store_dir(self) -> str:
        return self.store.directory

    def require_feature(self, name: str) -> None:
        """Raises NotAvailable unless the experimental feature `name` is on."""
        if name not in self.features:
            raise NotAvailable(
                f"experimental Nix feature '{name}' is disabled; "
                f"add '--extra-experimental-features {name}' to enable it"
            )

    def warn(self, message: str) -> None:
        """Tells something that is odd about what the program does."""
        self.trace(f"warning: {message}")

    def copied(self, path: str) -> Copied | None:
        """What `copy_to_store` has said of `path` before; whoever goes by that depends on the trail."""
        return self._copies.copied(path)

    async def copy_to_store(self, path: str) -> str:
        """The store path of the file or tree at `path`, a string with itself as its context."""
        return await self._copies.copy(path)

    async def add_source(self, copy: Copy) -> str:
        """The store path of what `copy` describes, a string with itself as its context."""
        return await self._copies.add(copy)

    def forget(self, paths: Iterable[str]) -> list[str]:
        """Drops what `paths` matter to: copies, and imported files, whose names it returns."""
        self._copies.forget(paths)
        return self.imports.forget(paths)

    async def load_derivation(self, path: str) -> None:
        """Makes a derivation known that this evaluation did not make; raises FileError."""
        await load_derivation(self.io, self.store, path)
