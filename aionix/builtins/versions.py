"""Versions and derivation names (Nix manual, `nix-env`: versions)."""

from __future__ import annotations

import re
from itertools import zip_longest

from aionix.builtins.registry import PlainStr, builtin
from aionix.values.attrs import AttrSet
from aionix.values.strings import byte_key
from aionix.values.thunk import Value

_COMPONENT = re.compile(r"[0-9]+|[^0-9.\-]+")
_VERSION_DASH = re.compile(r"-(?=[^A-Za-z])")
#: Longer numbers are compared as words, as C++ Nix reads them into 32 bits.
_LARGEST = 2**31 - 1


@builtin("splitVersion")
def split_version(version: PlainStr) -> Value:
    """The components of a version: it is cut at dots and dashes, and between a digit and a
    character that is none."""
    return tuple(_COMPONENT.findall(version))


@builtin("compareVersions")
def compare_versions(left: PlainStr, right: PlainStr) -> int:
    """-1, 0 or 1: whether the first version is older than the second, the same, or newer."""
    pairs = zip_longest(_COMPONENT.findall(left), _COMPONENT.findall(right), fillvalue="")
    for ours, theirs in pairs:
        if ours != theirs:
            mine, other = _rank(ours), _rank(theirs)
            if mine != other:
                return -1 if mine < other else 1
    return 0


def _rank(component: str) -> tuple[int, int, bytes]:
    """`pre` is before the end of the version, that before words, words before numbers."""
    if component == "pre":
        return (0, 0, b"")
    if "0" <= component[:1] <= "9":
        digits = component.lstrip("0")
        if len(digits) <= 10 and int(digits or "0") <= _LARGEST:
            return (2, int(digits or "0"), b"")
    return (1, 0, byte_key(component))


@builtin("parseDrvName")
def parse_drv_name(name: PlainStr) -> Value:
    """`{ name = ...; version = ...; }`: the version is what comes after the first dash that is
    not followed by a letter, or empty."""
    dash = _VERSION_DASH.search(name)
    if dash is None:
        return AttrSet(name=name, version="")
    return AttrSet(name=name[: dash.start()], version=name[dash.end() :])
