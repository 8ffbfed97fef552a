"""Path values: absolute and lexically clean, never looked up here."""

from __future__ import annotations


class Path:
    """A Nix path. `text` begins with `/`, has no `.`, `..`, empty parts or trailing slash."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


def clean(text: str) -> str:
    """`text` without `.`, `..` and doubled slashes; what `..` removes is not looked at.

    As C++ Nix's `canonPath`: `..` at the root stays at the root.
    """
    kept: list[str] = []
    for part in text.split("/"):
        if part == "..":
            if kept:
                kept.pop()
        elif part and part != ".":
            kept.append(part)
    return "/" + "/".join(kept)
