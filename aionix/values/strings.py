"""Strings: bytes to Nix, `str` to Python.

A Nix string is a `str` that holds its bytes as UTF-8 with `surrogateescape`, so every byte
string has exactly one spelling (`join` keeps it so). One that carries a context is a
`ContextString`. Length, slices and order are those of the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from aionix.errors import ContextError
from aionix.values.limits import LARGE, check_string

# Nix's encoding of one context element: `/nix/store/...` (a path), `=/nix/store/x.drv` (a
# derivation with all its outputs) or `!out!/nix/store/x.drv` (one output).
Context: TypeAlias = frozenset[str]

NO_CONTEXT: Context = frozenset()


class ContextString(str):
    """A string and the store paths it depends on; `context` is never empty."""

    __slots__ = ("context",)

    context: Context


def with_context(text: str, context: Context) -> str:
    """`text` carrying exactly `context`."""
    if not context:
        return text if type(text) is str else str(text)
    result = ContextString(text)
    result.context = context
    return result


def context_of(text: str) -> Context:
    return text.context if type(text) is ContextString else NO_CONTEXT


def refuse_context(text: str) -> None:
    """Raises the error for a string that may not depend on the store, if it does."""
    if type(text) is ContextString:
        mark, _, path = min(text.context, key=_rank).partition("/")
        first = mark + path.rpartition("/")[2]
        raise ContextError(
            f"the string '{text}' is not allowed to refer to a store path (such as '{first}')"
        )


def _rank(element: str) -> tuple[int, str, str]:
    # C++ Nix's order of elements: paths, derivations, outputs; by path, then by output.
    mark, _, path = element.partition("/")
    return "/=!".index(element[0]), path, mark


def plain(text: str) -> str:
    """`text` without its context."""
    return text if type(text) is str else str(text)


def to_bytes(text: str) -> bytes:
    """The bytes that a Nix program sees."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def byte_key(text: str) -> bytes:
    """The sort key of Nix's string order."""
    return text.encode("utf-8", "surrogateescape")


def less(left: str, right: str) -> bool:
    """Is `left` before `right`? Code points sort as their UTF-8 does, lone bytes do not."""
    if left.isascii() and right.isascii():
        return left < right
    return byte_key(left) < byte_key(right)


def length(text: str) -> int:
    """The number of bytes."""
    return len(text) if text.isascii() else len(to_bytes(text))


def join(parts: Sequence[str]) -> str:
    """The parts in a row, their contexts united.

    Bytes that were lone in two parts may form a character together; the result then spells it.
    """
    size = sum(map(len, parts))
    if size > LARGE:
        check_string(size, parts)
    text = "".join(parts)
    if not text.isascii():
        text = normal(text)
    for part in parts:
        if type(part) is not str:
            return with_context(text, NO_CONTEXT.union(*[context_of(part) for part in parts]))
    return text


def normal(text: str) -> str:
    """The one spelling of these bytes, without context."""
    if text.isascii():
        return text if type(text) is str else str(text)
    return from_bytes(to_bytes(text))
