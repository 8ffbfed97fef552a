"""What quoted text means."""

from __future__ import annotations

import pytest

from aionix.source import SourceMap
from aionix.syntax import nodes, parse


def parts(text: str | bytes) -> list[str]:
    """The parts of a string; interpolated variables as `${x}`."""
    string = parse(SourceMap().add("test", text))
    assert isinstance(string, nodes.Str)
    return [part if isinstance(part, str) else f"${{{part.name}}}" for part in string.parts]  # type: ignore[union-attr]  # only variables here


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('""', []),
        ('"a b"', ["a b"]),
        (r'"\n\r\t\a\"\\\${x}"', ['\n\r\ta"\\${x}']),
        ('"$ $$ $a"', ["$ $$ $a"]),
        ('"a$"', ["a$"]),
        ('"$${a}"', ["$${a}"]),
        ('"$$${a}"', ["$$", "${a}"]),
        (r'"$\n"', ["$\n"]),
        ('"a\r\nb\rc\n"', ["a\nb\nc\n"]),
        ('"\\\r"', ["\r"]),
        ('"${a}${b}"', ["${a}", "${b}"]),
        ('"é${a}ü"', ["é", "${a}", "ü"]),
        (b'"\xff"', ["\udcff"]),
        ('"\\é"', ["é"]),
    ],
)
def test_strings(text: str | bytes, expected: list[str]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("''''", []),
        ("''a''", ["a"]),
        ("''  a''", ["a"]),
        ("''\n  a\n    b\n''", ["a\n  b\n"]),
        ("''\n  a\n  ''", ["a\n"]),
        ("''  \n  a''", ["a"]),
        ("''a\n  b''", ["a\n  b"]),
        ("''\n    a\n\n  b''", ["  a\n\nb"]),
        ("''\n    a\n \n    b''", ["a\n\nb"]),
        ("''\n\ta\n  b''", ["\ta\n  b"]),
        ("''\n  a\r\n  b''", ["a\r\nb"]),
        ("''\n  ${a}\n    ${b}''", ["${a}", "\n  ", "${b}"]),
        ("''\n    a ${b}\n  c''", ["  a ", "${b}", "\nc"]),
        ("''${a}\n  ''", ["${a}", "\n"]),
        ("'''''''", ["''"]),
        ("''''${a}''", ["$", "{a}"]),
        ("''$${a}''", ["$${a}"]),
        ("''$$${a}''", ["$$", "${a}"]),
        ("'''''${a}''", ["''", "${a}"]),
        ("''a'${b}''", ["a", "'", "${b}"]),
        ("''a$''", ["a", "$"]),
        (r"'' ''\n ''\t ''\x ''", ["\n", "\t", " ", "x", " "]),
        ("''\n  a''\\n  b\n  c''", ["a", "\n", "b\nc"]),
        ("''a'$b''", ["a", "'", "$b"]),
        ("''${\"b\"}''", ["b"]),
        ("''it's 'quoted' ''", ["it's 'quoted' "]),
        ("''\n  é\n  ''\\é''", ["é\n", "\udcc3", "\udca9"]),
    ],
)
def test_indented_strings(text: str, expected: list[str]) -> None:
    assert parts(text) == expected
