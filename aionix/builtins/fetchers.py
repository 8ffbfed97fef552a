"""Builtins that fetch. What has a hash needs no fetching to have a store path; there is no fetcher yet."""

from __future__ import annotations

from typing import NoReturn

from aionix.builtins.hashing import parse_given_hash
from aionix.builtins.registry import builtin, expect_plain_str
from aionix.errors import InvalidArgument, MissingAttribute, NixError, NotAvailable
from aionix.store.hashes import Hash
from aionix.store.paths import base_name, fixed_output_path, name_problem
from aionix.values.attrs import AttrSet
from aionix.values.strings import with_context
from aionix.values.thunk import Value
from aionix.vm.host import Host


@builtin("fetchurl")
def fetch_url(host: Host, source: Value) -> Value:
    """The store path of the file at a URL, given as a string or as `{ url, sha256, name }`.

    With `sha256`, the hash of the file, nothing is fetched before the file is read.
    """
    return _fetch(host, "fetchurl", source, "", "")


@builtin("fetchTarball")
def fetch_tarball(host: Host, source: Value) -> Value:
    """The store path of what an archive at a URL contains, given as `fetchurl` takes it.

    `sha256` is the hash of the unpacked tree.
    """
    return _fetch(host, "fetchTarball", source, "source", "r:")


class _Request:
    """What the argument of a fetcher asks for."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.url = ""
        self.name = ""
        self.hash: Hash | None = None
        self.has_attributes = False
        self.has_name = False


def _fetch(host: Host, who: str, source: Value, name: str, method: str) -> Value:
    request = _request(host, who, source)
    request.name = request.name or name or base_name(request.url)
    _check_name(request)
    if request.hash is None:
        if host.pure:
            raise NotAvailable(f"in pure evaluation mode, '{who}' requires a 'sha256' argument")
        raise NotAvailable(
            f"cannot fetch '{request.url}': no fetcher is configured",
            hint="with its 'sha256' given, the store path is known without fetching",
        )
    path = fixed_output_path(request.name, method, "sha256", request.hash.digest, host.store_dir)
    host.store.fetched[path] = request.url
    return with_context(path, frozenset({path}))


def _request(host: Host, who: str, source: Value) -> _Request:
    request = _Request(who)
    if type(source) is not AttrSet:
        request.url = _told(source, "the url we should fetch")
        return request
    request.has_attributes = True
    for name, value in source.items():
        if name == "url":
            request.url = _told(value, "the url we should fetch")
        elif name == "sha256":
            text = _told(value, "the sha256 of the content we should fetch")
            request.hash = parse_given_hash(host, text, "sha256")
        elif name == "name":
            request.has_name = True
            request.name = _told(value, "the name of the content we should fetch")
        else:
            raise InvalidArgument(f"unsupported argument '{name}' to '{who}'")
    if "url" not in source:
        raise MissingAttribute("'url' argument required")
    return request


def _told(value: Value, what: str) -> str:
    try:
        return expect_plain_str(value)
    except NixError as error:
        error.add_frame(f"while evaluating {what}")
        raise


def _check_name(request: _Request) -> None:
    problem = name_problem(request.name)
    if problem is None:
        return
    who = request.who
    if request.has_name:
        way_out = f"Please change the value for the 'name' attribute passed to '{who}', "
    elif request.has_attributes:
        way_out = f"Please add a valid 'name' attribute to the argument for '{who}', "
    else:  # with two blanks, as in Nix
        way_out = f"Please pass an attribute set with 'url' and 'name' attributes to '{who}',  "
    raise InvalidArgument(
        f"invalid store path name when fetching URL '{request.url}': {problem}. "
        f"{way_out}so that it can create a valid store path."
    )


@builtin("fetchGit")
def fetch_git(source: Value) -> Value:
    """Fetches a path or a revision of a git repository. Not available yet."""
    _refuse("fetchGit")


@builtin("fetchMercurial")
def fetch_mercurial(source: Value) -> Value:
    """Fetches a revision of a Mercurial repository. Not available yet."""
    _refuse("fetchMercurial")


def _refuse(name: str) -> NoReturn:
    raise NotAvailable(f"builtins.{name} is not available in this evaluator yet: no fetcher is configured")
