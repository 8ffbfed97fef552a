"""Puts the parse tables of `nix.lark` into the wheel, so that no installation has to compute them."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TABLES = "aionix/syntax/nix.tables.json"


class ParseTables(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own configuration
    """Runs `aionix/syntax/tables.py` by itself: the rest of aionix is not importable while it is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        source = Path(self.root, "aionix/syntax/tables.py")
        spec = importlib.util.spec_from_file_location("tables", source)
        assert spec is not None and spec.loader is not None
        tables = importlib.util.module_from_spec(spec)
        sys.modules["tables"] = tables
        spec.loader.exec_module(tables)
        made = Path(tempfile.mkdtemp(), "nix.tables.json")
        tables.compute_into(made)
        build_data["force_include"][str(made)] = TABLES
