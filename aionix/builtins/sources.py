"""Builtins that put files into the store: as they lie there, filtered, or made of a string."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aionix.builtins.hashing import parse_given_hash
from aionix.builtins.registry import (
    Lazy,
    PlainStr,
    builtin,
    expect_attrs,
    expect_bool,
    expect_function,
    expect_plain_str,
)
from aionix.errors import ContextError, InvalidArgument, MissingAttribute, NixError, NotAvailable
from aionix.io import FileType
from aionix.store.paths import base_name, in_store
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_path, coerce_to_string
from aionix.values.functions import call2
from aionix.values.strings import Context, context_of, to_bytes, with_context
from aionix.values.thunk import Value
from aionix.vm.host import Host
from aionix.vm.requests import in_fiber
from aionix.vm.sources import Copy


@builtin("path")
async def path(host: Host, arguments: Lazy) -> Value:
    """Copies `path` to the store and gives its store path, as the set of arguments asks:

    `name`: what the store path ends with (the base name of `path`); `filter`: a function of path and type
    (as in `filterSource`) that chooses what is copied; `recursive`: false hashes a single file's contents,
    not its NAR; `sha256`: the expected hash, an error if it is another one.
    """
    copy = await in_fiber(lambda: _copy(host, expect_attrs(arguments)))
    return await _added(host, copy)


def _copy(host: Host, arguments: AttrSet) -> Copy:
    copy = Copy("", "")
    for name in arguments:
        if name not in _READERS:
            error = InvalidArgument(f"unsupported argument '{name}' to 'builtins.path'")
            span = arguments.position_of(name)
            if span is not None:
                error.place(span)
            raise error
        try:
            _READERS[name](host, copy, arguments[name])
        except NixError as error:
            message = f"while evaluating the '{name}' attribute passed to 'builtins.path'"
            error.add_frame(message, arguments.position_of(name))
            raise
    if not copy.path:
        raise MissingAttribute("missing required 'path' attribute in the first argument to 'builtins.path'")
    copy.name = copy.name or base_name(copy.path)
    return copy


def _read_path(host: Host, copy: Copy, value: Value) -> None:
    copy.path = coerce_to_path(value)


def _read_name(host: Host, copy: Copy, value: Value) -> None:
    copy.name = expect_plain_str(value)


def _read_filter(host: Host, copy: Copy, value: Value) -> None:
    copy.keep = _keeper(expect_function(value))


def _read_recursive(host: Host, copy: Copy, value: Value) -> None:
    copy.recursive = expect_bool(value)


def _read_sha256(host: Host, copy: Copy, value: Value) -> None:
    copy.expected = parse_given_hash(host, expect_plain_str(value), "sha256")


_READERS: dict[str, Callable[[Host, Copy, Value], None]] = {
    "path": _read_path,
    "name": _read_name,
    "filter": _read_filter,
    "recursive": _read_recursive,
    "sha256": _read_sha256,
}


def _keeper(function: Value) -> Callable[[str, FileType], Awaitable[bool]]:
    async def keep(path: str, kind: FileType) -> bool:
        return await in_fiber(lambda: expect_bool(call2(function, path, kind.value)))

    return keep


async def _added(host: Host, copy: Copy) -> str:
    try:
        return await host.add_source(copy)
    except NixError as error:
        error.add_frame(f"while adding path '{copy.path}'")
        raise


@builtin("filterSource")
async def filter_source(host: Host, keep: Lazy, path: Lazy) -> Value:
    """The store path of a copy of `path` that has what `keep path type` is true of.

    `type` is "regular", "directory", "symlink" or "unknown". `keep` is asked about a directory before it is
    asked about what is in it, and not about what is in one that is left out.
    """
    place = await in_fiber(lambda: coerce_to_path(path))
    keeper = _keeper(await in_fiber(lambda: expect_function(keep)))
    return await _added(host, Copy(place, base_name(place), keeper))


@builtin("toFile")
def to_file(host: Host, name: PlainStr, contents: str) -> Value:
    """The store path of a file of that name and with these contents, which may refer to sources and
    to other such files, but not to derivations."""
    references = context_of(contents)
    for element in references:
        if element[0] != "/":
            mark, _, path = element.partition("/")
            raise ContextError(
                f"files created by builtins.toFile may not reference derivations, but {name} references "
                f"{mark}{path.rpartition('/')[2]}"
            )
    path = host.store.add_text(name, to_bytes(contents), references)
    return with_context(path, frozenset({path}))


@builtin("storePath")
async def store_path(host: Host, path: Lazy) -> Value:
    """The string `path`, which must be in the store, and which now depends on the store path it is in."""
    if host.pure:
        raise NotAvailable("'builtins.storePath' is not allowed in pure evaluation mode")
    place, context = await in_fiber(lambda: _path_and_context(path))
    if place.rpartition("/")[0] != host.store_dir:
        place = await host.io.resolve(place)
    owner = in_store(place, host.store_dir)
    if owner is None:
        raise InvalidArgument(f"path '{place}' is not in the Nix store")
    return with_context(place, context | {owner})


def _path_and_context(value: Value) -> tuple[str, Context]:
    text = coerce_to_string(value, copy=False)
    return coerce_to_path(text), context_of(text)
