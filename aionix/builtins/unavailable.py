"""Builtins that need a store or a network, which this evaluator does not have yet.

They exist, so that `builtins ? fetchurl` is what programs expect, and say so when called.
"""

from __future__ import annotations

from aionix.builtins.registry import FilePath, Function, PlainStr, builtin, expect_str
from aionix.errors import NotAvailable
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value


def _not_available(name: str) -> NotAvailable:
    return NotAvailable(f"builtins.{name} is not available in this evaluator yet")


@builtin("derivationStrict")
def derivation_strict(attributes: AttrSet) -> Value:
    """Makes a derivation out of `attributes`. Not available yet."""
    raise _not_available("derivationStrict")


@builtin("path")
def path(arguments: AttrSet) -> Value:
    """Copies a path to the store under a name and a filter. Not available yet."""
    raise _not_available("path")


@builtin("filterSource")
def filter_source(keep: Function, path: FilePath) -> Value:
    """Copies the files that `keep` chooses to the store. Not available yet."""
    raise _not_available("filterSource")


@builtin("toFile")
def to_file(name: PlainStr, contents: str) -> Value:
    """Makes a store file of a string. Not available yet."""
    raise _not_available("toFile")


@builtin("storePath")
def store_path(path: FilePath) -> Value:
    """A store path as a string that depends on it. Not available yet."""
    raise _not_available("storePath")


@builtin("fetchurl")
def fetch_url(source: Value) -> Value:
    """Downloads a file, given its URL or `{ url, sha256, name }`. Not available yet."""
    return _fetch("fetchurl", source)


@builtin("fetchTarball")
def fetch_tarball(source: Value) -> Value:
    """Downloads and unpacks an archive. Not available yet."""
    return _fetch("fetchTarball", source)


def _fetch(name: str, source: Value) -> Value:
    if type(source) is not AttrSet:
        expect_str(source)
    raise _not_available(name)


@builtin("fetchGit")
def fetch_git(source: Value) -> Value:
    """Fetches a path or a revision of a git repository. Not available yet."""
    raise _not_available("fetchGit")


@builtin("fetchMercurial")
def fetch_mercurial(source: Value) -> Value:
    """Fetches a revision of a Mercurial repository. Not available yet."""
    raise _not_available("fetchMercurial")
