"""The store as an evaluation leaves it: every path that was computed, and what would be there.

Nothing is written or built. Paths come from arithmetic alone; what a path stands for is kept, so
that the evaluation can read it again, and a program can look at it, draw it, or write it down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

from aionix.errors import ContextError, FileError
from aionix.io import EvalIO, WritableIO
from aionix.store.aterm import Unparsed, unparse
from aionix.store.derivation import EXTENSION, Derivation, Output, Wanted
from aionix.store.modulo import Hasher, Modulo
from aionix.store.paths import downstream_placeholder, output_path, text_path

if TYPE_CHECKING:
    from aionix.store.difference import Difference
    from aionix.store.graph import Graph


class Source(NamedTuple):
    """A file or tree that was copied: where it lies, and, of a tree that was filtered, the relative
    paths that were kept."""

    origin: str
    kept: frozenset[str] | None = None


class Text(NamedTuple):
    """A file made by `toFile`, and the store paths it mentions."""

    content: bytes
    references: frozenset[str] = frozenset()


class VirtualStore:
    """What one `Evaluation` put into the store at `directory`, by store path.

    `derivations` are those that were instantiated, or read because one of those needs them;
    `sources` and `texts` what they and the program refer to; `fetched` maps paths that a fetcher would
    fill to their URLs.
    """

    def __init__(self, directory: str = "/nix/store") -> None:
        self.directory = directory
        self.derivations: dict[str, Derivation] = {}
        self.sources: dict[str, Source] = {}
        self.texts: dict[str, Text] = {}
        self.fetched: dict[str, str] = {}
        self._modulo: dict[str, Modulo] = {}
        self._makers: dict[str, str] = {}

    def add_text(self, name: str, content: bytes, references: Iterable[str] = ()) -> str:
        """The path of a text; raises InvalidArgument for a `name` that no store path can have."""
        references = frozenset(references)
        path = text_path(name, content, references, self.directory)
        self.texts[path] = Text(content, references)
        return path

    def add_source(self, path: str, source: Source) -> None:
        self.sources[path] = source

    def instantiate(self, derivation: Derivation) -> str:
        """The path of the derivation's file. Its input derivations must be known.

        Outputs without a path and a method are given their paths, also in the environment, or stay
        as they are if an input is addressed by a content that nobody knows yet.
        """
        hasher = Hasher(derivation, self._modulo)
        unknown = [name for name, output in derivation.outputs.items() if output == Output()]
        if not unknown:
            return self._added(hasher)
        modulo = hasher.modulo(masked=True)
        if modulo.deferred:
            return self._added(hasher)
        for name in unknown:
            digest = bytes.fromhex(modulo.outputs[name])
            path = output_path(derivation.name, name, digest, self.directory)
            derivation.outputs[name] = Output(path)
            derivation.environment[name] = path
        return self._added(hasher)

    def add_derivation(self, derivation: Derivation) -> str:
        """The path of a derivation that is complete; its input derivations must be known."""
        return self._added(Hasher(derivation, self._modulo))

    def _added(self, hasher: Hasher) -> str:
        derivation = hasher.derivation
        path = self._path(hasher.unparsed)
        if path not in self.derivations:
            self.derivations[path] = derivation
            self._modulo[path] = hasher.modulo()
            for output in derivation.outputs.values():
                self._makers[output.path] = path
        return path

    def path_of(self, derivation: Derivation) -> str:
        """Where the file of a derivation that is complete lies."""
        return self._path(Unparsed(derivation))

    def _path(self, unparsed: Unparsed) -> str:
        derivation = unparsed.derivation
        text = unparsed.text(derivation.input_derivations, False)
        return text_path(derivation.name + EXTENSION, text, derivation.references, self.directory)

    def output(self, path: str, name: str) -> str:
        """Where the output `name` of the derivation `path` will be, or what stands for that."""
        outputs = self.derivations[path].outputs
        if name not in outputs:
            raise ContextError(f"derivation '{path}' does not have output '{name}'")
        return outputs[name].path or downstream_placeholder(path, name)

    def known(self, path: str) -> Derivation:
        """The derivation with that path; raises FileError if there is none."""
        if path not in self.derivations:
            raise FileError(f"path '{path}' is not valid", path)
        return self.derivations[path]

    def maker(self, path: str) -> str | None:
        """The derivation that has `path` as an output."""
        return self._makers.get(path)

    def content(self, path: str) -> bytes | None:
        """The bytes of a derivation's file or of a text; None if `path` is neither."""
        if path in self.texts:
            return self.texts[path].content
        derivation = self.derivations.get(path)
        return None if derivation is None else unparse(derivation)

    def references(self, path: str) -> frozenset[str]:
        """The store paths that the file at `path` mentions, as far as that is known."""
        if path in self.derivations:
            return frozenset(self.derivations[path].references)
        return self.texts[path].references if path in self.texts else frozenset()

    def requisites(self, path: str) -> set[str]:
        """`path`, and all store paths that are needed to build it, if it is a derivation."""
        return closure([path], self.references)

    def whole(self, path: str) -> tuple[set[str], dict[str, Wanted]]:
        """What `drvPath` in a string means: the requisites, and all outputs of each derivation.

        Raises FileError if the derivation is not known.
        """
        self.known(path)
        found = self.requisites(path)
        known = [each for each in found if each in self.derivations]
        return found, {each: Wanted(frozenset(self.derivations[each].outputs)) for each in known}

    def graph(self, roots: Iterable[str] | None = None) -> Graph:
        """What `roots`, store paths, and all they need, need of each other; everything, unless told."""
        from aionix.store.graph import graph

        return graph(self, roots)

    def difference(self, left: str, right: str, other: VirtualStore | None = None) -> Difference | None:
        """Why the derivation `left` is not `right`, which may be in an `other` store; None if it is.

        Raises FileError for a path that is not that of a derivation.
        """
        from aionix.store.difference import difference

        return difference(self, left, other or self, right)

    async def read_from(self, io: EvalIO, file: str) -> str:
        """Adds the derivation in a `.drv` file, and what it needs, from files beside it.

        Returns its store path. Raises FileError, ConversionError.
        """
        from aionix.store.reading import read_into

        return await read_into(self, io, file)

    async def write_to(
        self, target: str | PathLike[str] | WritableIO, roots: Iterable[str] | None = None
    ) -> list[str]:
        """Writes the `.drv` files of `roots` and of all they need; of everything, unless told.

        `target` is a directory, or anything that can be written to. Returns the store paths. Raises
        FileError.
        """
        from aionix.store.writing import write_to

        return await write_to(self, target, roots)


def closure(roots: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    """`roots`, and everything that can be reached from them."""
    found = set(roots)
    pending = list(found)
    while pending:
        new = [path for path in following(pending.pop()) if path not in found]
        found.update(new)
        pending += new
    return found
