"""Autoindex: a server that lists its directories for people, or as JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from io_backends.http.client import Client, quoted
from io_backends.http.documents import read_array
from io_backends.http.nodes import File, Node, Tree, Unlisted, Walk
from io_backends.paths import checked_name

# No `<` or `>` may be passed over, so every byte is looked at a bounded number of times.
_HREF = re.compile(
    r"""<a\s[^<>]*?\bhref\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Autoindex:
    """A server that lists directories: nginx's autoindex (HTML or JSON), Apache's, Python's http.server.

        Http("https://example.org/configs/", Autoindex())

    Of an HTML page, links to what is directly below the page's own URL are entries, and those that end in `/`
    are directories; other links are not. Listings are kept, so that looking at what is not there needs no
    request. A page that a server has instead of a listing (`index.html`) hides what is not linked from it.
    Symlinks look like what they lead to, and nothing is executable.
    """

    def tree(self, client: Client) -> Tree:
        return Walk(_directory(client, client.url_of("/")), links=False)


def _directory(client: Client, url: str) -> Unlisted:
    return Unlisted(partial(_list, client, url), client.max_age)


async def _list(client: Client, url: str) -> Mapping[str, Node]:
    listing = await client.document(url)
    is_json = listing.content_type.partition(";")[0].strip().lower() == "application/json"
    names = _json_names if is_json else partial(_html_names, url)
    return await client.understood(lambda data: _nodes(client, url, names(data)), listing.body)


def _nodes(client: Client, url: str, names: Iterator[tuple[str, bool]]) -> Mapping[str, Node]:
    """The entries of the directory at `url`; a name may be linked more than once."""
    found: dict[str, Node] = {}
    for name, is_directory in names:
        below = url + quoted(name, safe="")
        if is_directory:
            found[name] = _directory(client, below + "/")
        else:
            found.setdefault(name, File(below))
        if len(found) > client.max_entries:
            raise ValueError(f"more than {client.max_entries} entries")
    return found


def _json_names(data: bytes) -> Iterator[tuple[str, bool]]:
    """Of nginx's `autoindex_format json`."""
    for entry in read_array(data):
        yield checked_name(entry.text("name")), entry.get("type") == "directory"


def _html_names(url: str, data: bytes) -> Iterator[tuple[str, bool]]:
    here = urlsplit(url)
    above = unquote_to_bytes(here.path)
    for match in _HREF.finditer(data.decode("utf-8", "surrogateescape")):
        try:
            link = urlsplit(urljoin(url, html.unescape(match[match.lastindex or 0])))
        except ValueError:  # brackets that are no address
            continue
        path = unquote_to_bytes(link.path.encode("utf-8", "surrogateescape"))
        if link[:2] == here[:2] and not link.query and path.startswith(above):
            name, slash, rest = path[len(above) :].partition(b"/")
            if name not in (b"", b".", b"..") and not rest and b"\0" not in name:
                yield name.decode("utf-8", "surrogateescape"), bool(slash)
