"""GitLab: a repository read by the REST API's tree listing, page by page, and raw files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from io_backends.http.client import Client, quoted
from io_backends.http.documents import Entry, read_array, read_object
from io_backends.http.github import git_hash, git_node
from io_backends.http.nodes import Node, Tree, Unlisted, Walk, grown


@dataclass(frozen=True, slots=True)
class GitLab:
    """A project on a GitLab server: its number, or its path.

        Http("https://gitlab.com/api/v4", GitLab("group/project", "main"))

    `ref`, a branch, tag or commit, is resolved once, and the tree of that commit is listed, a request for
    every 100 entries (GitLab has no larger pages). Every content is checked against git's hash. A submodule
    is an empty directory.
    """

    project: str | int
    ref: str = "HEAD"

    def tree(self, client: Client) -> Tree:
        return Walk(Unlisted(_Project(self, client).root, client.max_age), links=True)


class _Project:
    """`layout` as `client` reaches it."""

    def __init__(self, layout: GitLab, client: Client) -> None:
        self._ref = quoted(layout.ref, safe="")
        self._client = client
        self._api = f"{client.url_of('/')}projects/{quoted(str(layout.project), safe='')}/repository"

    async def root(self) -> Mapping[str, Node]:
        commit = await self._commit()
        entries = await self._entries(commit)
        return await self._client.understood(partial(self._grown, commit), entries)

    async def _commit(self) -> str:
        answer = await self._client.document(f"{self._api}/commits/{self._ref}")
        return await self._client.understood(_commit_id, answer.body)

    async def _entries(self, commit: str) -> list[Entry]:
        query = f"ref={commit}&recursive=true&per_page=100&pagination=keyset"
        url: str | None = f"{self._api}/tree?{query}"
        entries: list[Entry] = []
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(entries) > self._client.max_entries or len(seen) > self._client.max_entries:
                raise self._client.misunderstood("its pages are too many, or go in a circle")
            seen.add(url)
            answer = await self._client.document(url)
            entries += await self._client.understood(read_array, answer.body)
            url = answer.next_page
        return entries

    def _grown(self, commit: str, entries: list[Entry]) -> Mapping[str, Node]:
        items = ((entry.text("path"), self._node(commit, entry)) for entry in entries)
        return grown(items, self._client.max_entries).names

    def _node(self, commit: str, entry: Entry) -> Node:
        path = quoted(entry.text("path"), safe="")
        return git_node(entry, "id", f"{self._api}/files/{path}/raw?ref={commit}")


def _commit_id(body: bytes) -> str:
    return git_hash(Entry(read_object(body, "").members).text("id"))
