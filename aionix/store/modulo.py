"""The hash of a derivation, modulo how its fixed outputs come about.

Output paths are computed from it. A fixed output is known by what it is, not by how it is
fetched, so that another mirror in a `fetchurl` does not change the paths of all that is built from it.
(E. Dolstra, "The Purely Functional Software Deployment Model", section 5.4; Nix manual, "Derivation
outputs and types of derivations")
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from aionix.errors import InvalidArgument
from aionix.store.aterm import unparse
from aionix.store.derivation import Derivation, Wanted

_IMPURE = sha256(b"impure").hexdigest()


class Modulo(NamedTuple):
    """The hash of each output in base 16. With `deferred`, output paths cannot be computed yet: an
    input is addressed by a content that nobody knows."""

    outputs: Mapping[str, str]
    deferred: bool = False


def hash_modulo(derivation: Derivation, inputs: Mapping[str, Modulo], *, masked: bool = False) -> Modulo:
    """The hash of `derivation`; `inputs` has those of its input derivations.

    With `masked`, as if it had no output paths: that is what they are computed from.
    """
    outputs = derivation.outputs
    if derivation.is_fixed:
        return Modulo(
            {
                name: _sha256(f"fixed:out:{output.method}:{output.digest}:{output.path}")
                for name, output in outputs.items()
            }
        )
    if any([output.digest == "impure" for output in outputs.values()]):
        return Modulo(dict.fromkeys(outputs, _IMPURE), deferred=True)
    deferred = any([output.method != "" for output in outputs.values()])
    wanted: dict[str, frozenset[str]] = {}
    for path, asked in derivation.input_derivations.items():
        known = inputs[path]
        deferred = deferred or known.deferred
        for output in asked.outputs:
            if output not in known.outputs:
                raise InvalidArgument(f"no hash for output '{output}' of derivation '{derivation.name}'")
            digest = known.outputs[output]
            wanted[digest] = wanted.get(digest, frozenset()) | {output}
    hashed_inputs = {digest: Wanted(names) for digest, names in wanted.items()}
    digest = sha256(unparse(derivation, masked=masked, inputs=hashed_inputs)).hexdigest()
    return Modulo(dict.fromkeys(outputs, digest), deferred)


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
