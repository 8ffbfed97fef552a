"""The grammar's tables and the file that keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aionix.source import SourceMap
from aionix.syntax import parse, tables


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tables, "_PACKAGED", tmp_path / "none")  # an installed wheel has them
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    tables.load.cache_clear()
    yield tmp_path / "aionix"
    tables.load.cache_clear()


def sum_of(text: str) -> object:
    return type(parse(SourceMap().add("test", text))).__name__


def test_tables_are_kept_for_the_next_process(cache: Path) -> None:
    first = tables.load()
    [file] = cache.iterdir()
    tables.load.cache_clear()
    before = file.stat().st_mtime_ns
    second = tables.load()
    assert second is not first
    assert (second.rows, second.rules, second.symbols) == (first.rows, first.rules, first.symbols)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\n\xff", b"0" * 64 + b"\n{}"])
def test_damaged_tables_are_made_again(cache: Path, damage: bytes) -> None:
    tables.load()
    [file] = cache.iterdir()
    file.write_bytes(damage)
    tables.load.cache_clear()
    assert sum_of("1 + 2") == "Binary"
    assert len(file.read_bytes()) > 10_000


def test_tables_need_no_place_to_be_kept(cache: Path) -> None:
    cache.write_text("a file where the directory should be")
    assert sum_of("1 + 2") == "Binary"


def test_every_rule_of_the_grammar_has_a_builder() -> None:
    from aionix.syntax.builder import Builder

    built_by_the_parser = {"", "begin", "append", "empty", "binary", "unary"}
    names = {rule.name for rule in tables.load().rules} - built_by_the_parser
    methods = {name for name in vars(Builder) if not name.startswith("_")}
    assert names == methods
