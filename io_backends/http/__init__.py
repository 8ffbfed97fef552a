"""Http: a tree of files on a server, read from where it is.

    backend     Http: the EvalIO; links, kinds and contents out of what a layout finds
    client      what a layout and the backend ask for; what was seen is kept, and revalidated
    wire        requests: one httpx2 client, retries, redirects, limits; body: what is read of an answer
    ranges      large files in pieces
    digests     is a content what the listing said?
    nodes       what a layout finds: File, Link, Directory; and `Layout`, to write one's own
    plain, autoindex, manifest, github, gitlab      the layouts: how a server tells what it has
    documents   JSON listings, read without trust

A layout knows URLs and listings, the client knows HTTP, and neither knows the other's part.
"""

from io_backends.http.autoindex import Autoindex as Autoindex
from io_backends.http.backend import Http as Http
from io_backends.http.client import Client as Client
from io_backends.http.github import GitHub as GitHub
from io_backends.http.gitlab import GitLab as GitLab
from io_backends.http.manifest import Manifest as Manifest
from io_backends.http.manifest import make_manifest as make_manifest
from io_backends.http.nodes import Directory as Directory
from io_backends.http.nodes import File as File
from io_backends.http.nodes import Layout as Layout
from io_backends.http.nodes import Link as Link
from io_backends.http.nodes import Tree as Tree
from io_backends.http.plain import Plain as Plain
