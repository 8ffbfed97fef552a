"""The outside world of one `Evaluation`, as impure builtins see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aionix.io import EvalIO
from aionix.source import SourceMap
from aionix.values.thunk import Value


@dataclass(slots=True, eq=False)
class Host:
    """What lives as long as the `Evaluation`: its IO, its sources, its settings.

    `load(path, scope)` parses and compiles a file and returns a thunk for its value; `scope`
    is `scopedImport`'s set of extra globals. `trace` takes the messages of `trace` and `warn`.
    `search_path` has (prefix, path) pairs; an empty prefix matches everything.
    """

    io: EvalIO
    sources: SourceMap
    load: Callable[[str, Mapping[str, Value] | None], Awaitable[Value]]
    trace: Callable[[str], None]
    search_path: list[tuple[str, str]] = field(default_factory=list)
    pure: bool = False
    store_dir: str = "/nix/store"
    current_system: str = "x86_64-linux"
    abort_on_warn: bool = False
