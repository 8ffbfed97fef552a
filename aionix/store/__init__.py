"""The Nix store without a store: hashes, derivations, paths, by arithmetic alone. No daemon.

nix32            the store's own base 32
hashes           digests, and their four spellings
nar              the archive format that says what a file tree is, hashed as it is walked
nar_reader       ... and what is in such an archive
narinfo          what a binary cache says of a store path
paths            store paths, from what they name
derivation       what is built from what, as data; its JSON form
aterm            the text of `.drv` files, written and read
self_reference   the hash of what mentions its own path
modulo           the hash of a derivation, from which the paths of its outputs come
virtual          `VirtualStore`: what an evaluation put into the store
graph            what needs what; as JSON, as a picture
difference       why two derivations differ
    likeness         ... in texts, apart from store paths; difference_text in words
writing reading  `.drv` files, to and from a directory or what else holds files
"""

from typing import TYPE_CHECKING

from aionix.store.derivation import Derivation as Derivation
from aionix.store.derivation import Output as Output
from aionix.store.derivation import Wanted as Wanted
from aionix.store.virtual import Source as Source
from aionix.store.virtual import Text as Text
from aionix.store.virtual import VirtualStore as VirtualStore

if TYPE_CHECKING:
    from aionix.store.difference import Change as Change
    from aionix.store.difference import Difference as Difference
    from aionix.store.graph import Edge as Edge
    from aionix.store.graph import Graph as Graph

# What an evaluation does without is imported when it is asked for.
_LATER = {
    "Change": "difference",
    "Difference": "difference",
    "Edge": "graph",
    "Graph": "graph",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
