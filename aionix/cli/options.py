"""What the programs can be told, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aionix.syntax.options import Lint

Output = Literal["value", "json", "xml", "raw"]

LINT_LEVELS: tuple[Lint, ...] = ("ignore", "warn", "fatal")
PIPE_OPERATORS = "pipe-operators"  # the name of the experimental feature
#: Nix's default for `max-call-depth`.
MAX_CALL_DEPTH = 10_000


class UsageError(Exception):
    """The command line makes no sense: exit status 2."""


class Input(NamedTuple):
    """Something to evaluate: `text` is an expression, a file's name, or `-` for standard input."""

    kind: Literal["expression", "file", "stdin"]
    text: str


class Argument(NamedTuple):
    """`--arg` (an expression) or `--argstr` (a string)."""

    kind: Literal["expression", "string"]
    text: str


@dataclass
class Settings:
    """How to evaluate."""

    pure: bool = False
    strict: bool = False
    search_path: list[str] = field(default_factory=list)  # `-I`, first wins; before NIX_PATH
    nix_path: str | None = None  # instead of NIX_PATH
    max_call_depth: int = MAX_CALL_DEPTH
    abort_on_warn: bool = False
    system: str | None = None
    url_literals: Lint = "ignore"
    absolute_path_literals: Lint = "ignore"
    short_path_literals: Lint = "ignore"
    features: set[str] = field(default_factory=set)
    show_trace: bool = False
    warnings: bool = False  # the compiler's: unused names and the like
    trace: bool = False  # tell every step on standard error
    code_cache: bool = True  # keep the code of files on the disk


@dataclass
class Job:
    """What to evaluate, what to take from it, how to print that."""

    inputs: list[Input] = field(default_factory=list)
    attr_paths: list[str] = field(default_factory=list)
    arguments: dict[str, Argument] = field(default_factory=dict)
    output: Output = "value"
    location: bool = True  # positions in XML
    call: bool = False  # call a function also when there are no arguments for it
