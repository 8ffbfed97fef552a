"""Builtins that look at files. Every error is a FileError, worded in `vm.file_errors`."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname

from aionix.builtins.registry import (
    FilePath,
    Lazy,
    List,
    builtin,
    expect_attrs,
    expect_list,
    expect_plain_str,
)
from aionix.errors import FileError, MissingAttribute
from aionix.io import EvalIO, FileType, is_missing
from aionix.store.paths import split_path
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_path, coerce_to_string
from aionix.values.paths import Path
from aionix.values.strings import context_of, from_bytes, plain, with_context
from aionix.values.thunk import Value
from aionix.vm import search_path
from aionix.vm.fiber import running
from aionix.vm.file_errors import Doing, resolved_file_error
from aionix.vm.file_errors import file_error as file_error
from aionix.vm.host import Host


async def read_bytes(host: Host, path: str) -> bytes:
    """All of a file; raises FileError."""
    try:
        return await host.io.read(path)
    except OSError as error:
        raise await resolved_file_error(host.io, error, path) from error


@builtin("readFile")
async def read_file(host: Host, path: FilePath) -> Value:
    """The contents of the file at `path` as a string.

    It depends on the store paths in it that a text or derivation made by this evaluation refers to.
    """
    data = await read_bytes(host, path)
    if b"\0" in data:
        name = await host.io.resolve(path)
        raise FileError(f"the contents of the file '{name}' cannot be represented as a Nix string", name)
    text = from_bytes(data)
    if not path.startswith(host.store_dir + "/"):
        return text
    known = host.store.references(await host.io.resolve(path))
    return with_context(text, frozenset([found for found in known if split_path(found)[0] in text]))


@builtin("readDir")
async def read_dir(host: Host, path: FilePath) -> Value:
    """The entries of a directory: a set from names to "regular", "directory", "symlink" or "unknown"."""
    try:
        entries = await host.io.read_dir(path)
    except OSError as error:
        raise await resolved_file_error(host.io, error, path, Doing.LIST) from error
    return AttrSet({name: kind.value for name, kind in entries.items()})


@builtin("readFileType")
async def read_file_type(host: Host, path: FilePath) -> Value:
    """What `path` is: "regular", "directory", "symlink" or "unknown".

    No part of the path before the last may be a link, as in C++ Nix.
    """
    try:
        if link := await _link_above(host.io, path):
            raise FileError(f"path '{link}' is a symlink", link)
        kind = await host.io.file_type(path)
    except OSError as error:
        raise await resolved_file_error(host.io, error, path, Doing.STATUS) from error
    return kind.value


async def _link_above(io: EvalIO, path: str) -> str | None:
    """The nearest directory on the way to `path` that is a link."""
    above = dirname(path)
    if await _is_plain(io, above):
        return None
    while above != "/":
        try:
            if await io.file_type(above) is FileType.SYMLINK:
                return above
        except OSError as error:
            if not is_missing(error):
                raise
        above = dirname(above)
    return None


async def _is_plain(io: EvalIO, path: str) -> bool:
    try:
        return await io.resolve(path) == path
    except OSError:
        return False


@builtin("pathExists")
def path_exists(host: Host, path: Value) -> Value:
    """Is there something at `path`? A link counts even if it leads to nothing.

    A string that ends in `/` or `/.` asks for a directory, and there links are followed.
    """
    must_be_directory = isinstance(path, str) and path.endswith(("/", "/."))
    return running().suspend(_exists(host, coerce_to_path(path), must_be_directory))


async def _exists(host: Host, place: str, must_be_directory: bool) -> bool:
    try:
        if must_be_directory:
            place = await host.io.resolve(place)
        kind = await host.io.file_type(place)
    except OSError as error:
        if is_missing(error):
            return False
        raise await resolved_file_error(host.io, error, place, Doing.STATUS) from error
    return kind is FileType.DIRECTORY or not must_be_directory


@builtin("findFile")
def find_file(host: Host, entries: Lazy, name: Lazy) -> Value:
    """Looks `name` up in a list of `{ path, prefix }` sets, as `<name>` does in `builtins.nixPath`.

    A relative `path` means what it means in the search path of this evaluation, or nothing.
    """
    places = {entry.path: entry.place for entry in host.search_path}
    known = _search_path(expect_list(entries), places)
    wanted = expect_plain_str(name)
    return Path(running().suspend(search_path.find_file(host.io, known, wanted, pure=host.pure)))


def _search_path(entries: List, places: Mapping[str, str | None]) -> list[search_path.Entry]:
    return [_search_path_entry(expect_attrs(entry), places) for entry in entries]


def _search_path_entry(entry: AttrSet, places: Mapping[str, str | None]) -> search_path.Entry:
    prefix = expect_plain_str(entry["prefix"]) if "prefix" in entry else ""
    if "path" not in entry:
        raise MissingAttribute("attribute 'path' missing")
    path = plain(coerce_to_string(entry["path"], copy=False))
    return search_path.Entry(prefix, path, path if path.startswith("/") else places.get(path))


@builtin("toPath")
def to_path(path: Value) -> Value:
    """The absolute path `path` as a clean string. Historical: strings serve as paths everywhere."""
    text = coerce_to_string(path, copy=False)
    return with_context(coerce_to_path(text), context_of(text))
