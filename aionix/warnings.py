"""What is legal but probably not meant: the compiler's remarks, and a few of the builtins'."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from aionix.source import Span


class WarningKind(Enum):
    """Code and message; `{}` stands for the detail of one warning."""

    DEPRECATED_URL = ("W001", "URL literal syntax is deprecated, use a quoted string instead")
    USELESS_INHERIT = ("W002", "inherit does nothing (this variable already exists with the same value)")
    UNUSED_BINDING = ("W003", "variable '{}' is declared, but never used:")
    SHADOWED_GLOBAL = ("W004", "declared variable '{}' shadows a built-in global!")
    LEGACY_LET = ("W005", "legacy `let` syntax used, please rewrite this as `let .. in ...`")
    INVALID_NIX_PATH = ("W006", "invalid NIX_PATH resulted in a parse error: {}")
    USELESS_BOOLEAN = ("W007", "useless operation on boolean: {}")
    DEAD_CODE = ("W008", "this code will never be executed")
    EMPTY_INHERIT = ("W009", "this `inherit` statement is empty")
    EMPTY_LET = ("W010", "this `let`-expression contains no bindings")
    SHADOWED_OUTPUT = ("W011", "this derivation's environment shadows the output name {}")
    SRI_PADDING = ("W012", "SRI hash has wrong padding")

    @property
    def code(self) -> str:
        return self.value[0]

    @property
    def template(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class EvalWarning:
    """One warning, and the place it is about."""

    kind: WarningKind
    span: Span
    detail: str = ""

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def message(self) -> str:
        return self.kind.template.replace("{}", self.detail)
