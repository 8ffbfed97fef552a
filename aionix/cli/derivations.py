"""The derivations in a value, as nix-instantiate finds them. Runs inside a fiber.

(Nix manual, `nix-instantiate`; `recurseForDerivations` in the manual of nixpkgs)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from aionix.builtins.registry import expect_bool, expect_plain_str
from aionix.cli.selection import auto_call
from aionix.errors import EvalError, InvalidArgument, MissingAttribute, NixError, TypeMismatch
from aionix.store.derivation import EXTENSION
from aionix.store.paths import base_problem
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.coercion import coerce_to_string
from aionix.values.equality import is_derivation
from aionix.values.limits import MAX_NESTING, checkpoint, too_deep
from aionix.values.strings import plain
from aionix.values.thunk import Value, force

T = TypeVar("T")

# Attributes of other names are not looked into.
_PATH_ELEMENT = re.compile("[A-Za-z_][A-Za-z0-9_+-]*")


class Found(NamedTuple):
    """A derivation's store path, and the output that is meant."""

    path: str
    output: str

    def __str__(self) -> str:
        return self.path if self.output == "out" else f"{self.path}!{self.output}"


def derivations_in(value: Value, arguments: Mapping[str, Value], store_dir: str) -> list[Found]:
    """The derivations in `value`: itself, or those in a list or set; in sets of sets only where
    `recurseForDerivations` is true. Functions are called with `arguments`. Raises NixError."""
    search = _Search(arguments)
    search.enter(value, 0)
    return [_found(attrs, store_dir) for attrs in search.found]


class _Search:
    def __init__(self, arguments: Mapping[str, Value]) -> None:
        self._arguments = arguments
        self._seen: set[int] = set()
        self.found: list[AttrSet] = []

    def enter(self, value: Value, depth: int) -> None:
        """Takes the derivation that `value` is, or those that are in it."""
        if depth > MAX_NESTING:
            raise too_deep()
        checkpoint()
        value = auto_call(value, self._arguments)
        if self._take(value):
            return
        if type(value) is AttrSet:
            self._enter_attrs(value, depth)
        elif type(value) is tuple:
            for element in value:
                if not self._take(element):
                    self.enter(element, depth + 1)
        else:
            raise TypeMismatch("expression does not evaluate to a derivation (or a set or list of those)")

    def _enter_attrs(self, attrs: AttrSet, depth: int) -> None:
        everywhere = "_combineChannels" in attrs  # as nix-env gives it to itself
        for name in sorted_names(attrs):
            if _PATH_ELEMENT.fullmatch(name) is None:
                continue
            try:
                if everywhere or (not self._take(attrs[name]) and _is_entered(attrs[name])):
                    self.enter(attrs[name], depth + 1)
            except NixError as error:
                message = f"while evaluating the attribute '{name}'"
                said = error.newest_frame  # the attribute's thunk may have said it already
                if said is None or said.message != message:
                    error.add_frame(message, attrs.position_of(name))
                raise

    def _take(self, value: Value) -> bool:
        """Is it a derivation? Each is taken once."""
        value = force(value)
        if type(value) is not AttrSet or not is_derivation(value):
            return False
        if id(value) not in self._seen:
            self._seen.add(id(value))
            if "name" not in value:
                raise TypeMismatch("derivation name missing")
            _told("while evaluating the 'name' attribute of a derivation", expect_plain_str, value["name"])
            self.found.append(value)
        return True


def _is_entered(value: Value) -> bool:
    value = force(value)
    if type(value) is not AttrSet or "recurseForDerivations" not in value:
        return False
    try:
        return expect_bool(value["recurseForDerivations"])
    except NixError as error:
        span = value.position_of("recurseForDerivations")
        error.add_frame("while evaluating the attribute `recurseForDerivations`", span)
        if span is not None:
            error.place(span)
        raise


def _found(attrs: AttrSet, store_dir: str) -> Found:
    if "drvPath" not in attrs:
        raise MissingAttribute("derivation does not contain a 'drvPath' attribute")
    value = force(attrs["drvPath"])
    try:
        path = _derivation_path(value, store_dir)
    except NixError as error:
        span = attrs.position_of("drvPath")
        error.add_frame("while evaluating the 'drvPath' attribute of a derivation", span)
        raise
    output = ""
    if "outputName" in attrs:
        said = "while evaluating the output name of a derivation"
        output = _told(said, expect_plain_str, attrs["outputName"])
    if not output:
        raise MissingAttribute(f"derivation '{path}' lacks an 'outputName' attribute")
    return Found(path, output)


def _derivation_path(value: Value, store_dir: str) -> str:
    path = plain(coerce_to_string(value, copy=False))
    directory, _, base = path.rpartition("/")
    if directory != store_dir or base_problem(base) is not None:
        raise EvalError(f"path '{path}' is not in the Nix store")
    if not base.endswith(EXTENSION):
        raise InvalidArgument(f"store path '{base}' is not a valid derivation path")
    return path


def _told(frame: str, take: Callable[[Value], T], value: Value) -> T:
    try:
        return take(value)
    except NixError as error:
        error.add_frame(frame)
        raise
