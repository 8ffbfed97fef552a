"""What a parse allows, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aionix.source import Span

#: What to do about a literal that is legal but frowned upon.
Lint: TypeAlias = Literal["ignore", "warn", "fatal"]


def _tell_nobody(message: str, span: Span) -> None:
    """The warnings of a parse without `warn`."""


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """`pipe_operators` is the experimental feature of that name (RFC 148); the lints are Nix's settings
    `lint-url-literals`, `lint-absolute-path-literals` and `lint-short-path-literals`. `warn` is told every
    warning, with its place."""

    pipe_operators: bool = False
    url_literals: Lint = "ignore"
    absolute_path_literals: Lint = "ignore"
    short_path_literals: Lint = "ignore"
    warn: Callable[[str, Span], None] = _tell_nobody

    @property
    def lints(self) -> bool:
        """Does a literal that is legal matter to anybody?"""
        return {self.url_literals, self.absolute_path_literals, self.short_path_literals} != {"ignore"}
