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
from aionix.store.aterm import Unparsed
from aionix.store.derivation import Derivation, Wanted

_IMPURE = sha256(b"impure").hexdigest()


class Modulo(NamedTuple):
    """The hash of each output in base 16. With `deferred`, output paths cannot be computed yet: an
    input is addressed by a content that nobody knows."""

    outputs: Mapping[str, str]
    deferred: bool = False


class Hasher:
    """Computes the hashes of `derivation`; `known` has those of its input derivations."""

    __slots__ = ("_known", "_wanted", "derivation", "unparsed")

    def __init__(self, derivation: Derivation, known: Mapping[str, Modulo]) -> None:
        self.derivation = derivation
        self.unparsed = Unparsed(derivation)
        self._known = known
        self._wanted: tuple[Mapping[str, Wanted], bool] | None = None

    def modulo(self, *, masked: bool = False) -> Modulo:
        """The hash of each output.

        With `masked`, as if the derivation had no output paths: that is what they are computed from.
        """
        outputs = self.derivation.outputs
        if self.derivation.is_fixed:
            return Modulo(
                {
                    name: _sha256(f"fixed:out:{output.method}:{output.digest}:{output.path}")
                    for name, output in outputs.items()
                }
            )
        if any([output.digest == "impure" for output in outputs.values()]):
            return Modulo(dict.fromkeys(outputs, _IMPURE), deferred=True)
        if self._wanted is None:
            self._wanted = self._hashed_inputs()
        wanted, deferred = self._wanted
        digest = sha256(self.unparsed.text(wanted, masked)).hexdigest()
        unknown = any([output.method != "" for output in outputs.values()])
        return Modulo(dict.fromkeys(outputs, digest), deferred or unknown)

    def _hashed_inputs(self) -> tuple[Mapping[str, Wanted], bool]:
        """The input derivations by their hashes, and whether one of these is deferred."""
        wanted: dict[str, frozenset[str]] = {}
        deferred = False
        for path, asked in self.derivation.input_derivations.items():
            known = self._known[path]
            deferred = deferred or known.deferred
            for output in asked.outputs:
                digest = known.outputs.get(output)
                if digest is None:
                    name = self.derivation.name
                    raise InvalidArgument(f"no hash for output '{output}' of derivation '{name}'")
                wanted[digest] = wanted.get(digest, frozenset()) | {output}
        return {digest: Wanted(names) for digest, names in wanted.items()}, deferred


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
