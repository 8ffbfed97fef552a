"""GitHub: a repository read by the REST API's tree listing and raw files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from io_backends.http.client import Client, quoted
from io_backends.http.documents import Document, Entry, read_object
from io_backends.http.nodes import File, Link, Listed, Node, Tree, Unlisted, Walk, grown
from io_backends.paths import checked_name

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GitHub:
    """A repository on GitHub, or on a server that has its REST API.

        Http("https://api.github.com", GitHub("NixOS", "nixpkgs", "nixos-unstable"))
        Http("https://github.example.org/api/v3", GitHub("me", "infra", raw=None), headers=token)

    `ref`, a branch, tag or commit, is resolved once, and the tree of that commit is listed by one request;
    if the answer is cut short (100,000 entries, 7 MB), it is listed directory by directory, when needed.
    Contents come from `raw`, which has no rate limit; with `raw=None` from the API, as private repositories
    need it: credentials are sent to the API's own host only. Every content is checked against git's hash. A
    submodule is an empty directory.
    """

    owner: str
    repository: str
    ref: str = "HEAD"
    raw: str | None = "https://raw.githubusercontent.com"

    def tree(self, client: Client) -> Tree:
        return Walk(Unlisted(_Repository(self, client).root, client.max_age), links=True)


class _Repository:
    """`layout` as `client` reaches it."""

    def __init__(self, layout: GitHub, client: Client) -> None:
        self._layout = layout
        self._client = client
        self._name = f"{quoted(layout.owner, safe='')}/{quoted(layout.repository, safe='')}"
        self._api = f"{client.url_of('/')}repos/{self._name}"

    async def root(self) -> Mapping[str, Node]:
        commit = await self._commit()
        document = await self._listing(commit, "?recursive=1")
        if document.members.get("truncated") is True:
            return await self._level(commit, commit, "")
        return await self._client.understood(partial(self._grown, commit), document)

    async def _commit(self) -> str:
        if _HASH.fullmatch(self._layout.ref):
            return self._layout.ref
        url = f"{self._api}/commits/{quoted(self._layout.ref, safe='')}"
        answer = await self._client.document(url, accept="application/vnd.github.sha")
        return await self._client.understood(lambda body: git_hash(body.decode().strip()), answer.body)

    async def _listing(self, sha: str, query: str = "") -> Document:
        url = f"{self._api}/git/trees/{sha}{query}"
        answer = await self._client.document(url, accept="application/vnd.github+json")
        return await self._client.understood(partial(read_object, array="tree"), answer.body)

    def _grown(self, commit: str, document: Document) -> Mapping[str, Node]:
        items = ((entry.text("path"), self._node(commit, entry, "")) for entry in document.entries)
        return grown(items, self._client.max_entries).names

    async def _level(self, commit: str, sha: str, above: str) -> Mapping[str, Node]:
        """One directory of a tree that is too large for one listing."""
        document = await self._listing(sha)
        return await self._client.understood(partial(self._entries, commit, above), document)

    def _entries(self, commit: str, above: str, document: Document) -> Mapping[str, Node]:
        if document.members.get("truncated") is True:
            raise ValueError("a directory is cut short")
        named = ((checked_name(entry.text("path")), entry) for entry in document.entries)
        return {name: self._lazy(commit, entry, above) for name, entry in named}

    def _lazy(self, commit: str, entry: Entry, above: str) -> Node:
        if entry.text("type") != "tree":
            return self._node(commit, entry, above)
        below = f"{above}{entry.text('path')}/"
        return Unlisted(partial(self._level, commit, git_hash(entry.text("sha")), below), None)

    def _node(self, commit: str, entry: Entry, above: str) -> Node:
        if self._layout.raw is None:
            blob = f"{self._api}/git/blobs/{git_hash(entry.text('sha'))}"
            return git_node(entry, "sha", blob, "application/vnd.github.raw+json")
        path = quoted(above + entry.text("path"))
        return git_node(entry, "sha", f"{self._layout.raw.rstrip('/')}/{self._name}/{commit}/{path}")


def git_node(entry: Entry, hash_name: str, url: str, accept: str = "*/*") -> Node:
    """What an entry with git's `mode` and `type` stands for; a submodule is a directory, as in a checkout."""
    if entry.text("type") != "blob":
        return Listed()
    mode = entry.text("mode")
    digest = "git:" + git_hash(entry.text(hash_name))
    file = File(url, entry.number("size"), mode == "100755", digest, accept)
    return Link(file) if mode == "120000" else file


def git_hash(text: str) -> str:
    """`text`, if it is a hash of git, of either length; else ValueError."""
    if not _HASH.fullmatch(text):
        raise ValueError("a hash is none")
    return text
