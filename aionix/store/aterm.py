"""ATerm, the text of `.drv` files: written byte for byte as Nix does, and read as strictly.

    Derive([outputs],[input derivations],[input sources],system,builder,[arguments],[environment])

(Nix manual, "Derivation ATerm Format")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NoReturn, TypeVar

from aionix.errors import ConversionError, InvalidHash
from aionix.store.derivation import Derivation, Output, Wanted, in_order
from aionix.store.hashes import SIZES, parse_hash
from aionix.store.paths import base_problem

T = TypeVar("T")

#: Derivations that outputs of derivations are, and so on: as deep as anybody would go.
MAX_DYNAMIC = 100

_VERSIONED = 'DrvWithVersion("xp-dyn-drv",'


def unparse(derivation: Derivation, *, masked: bool = False) -> bytes:
    """The derivation's text.

    With `masked`, output paths are left out, as they are while the paths are being computed.
    """
    return Unparsed(derivation).text(derivation.input_derivations, masked)


class Unparsed:
    """The text of a derivation in parts, written once: what is hashed of it has other input derivations
    and no output paths, and is the same else."""

    __slots__ = ("_middle", "_variables", "derivation")

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self._middle = ",".join(
            (
                _names(derivation.input_sources),
                f'"{derivation.system}"',
                *_strings([derivation.builder]),
                _list(_strings(derivation.arguments)),
            )
        )
        # Those of outputs as they are with masked paths, whether there are such variables or not.
        self._variables = _pairs(derivation.environment | dict.fromkeys(derivation.outputs, ""))

    def text(self, inputs: Mapping[str, Wanted], masked: bool) -> bytes:
        """The derivation's text, with `inputs` for its input derivations.

        Of the environment, only the outputs' variables may have changed since this was made.
        """
        derivation = self.derivation
        versioned = any([wanted.dynamic for wanted in derivation.input_derivations.values()])
        parts = (
            _outputs(derivation.outputs, masked),
            _inputs(inputs),
            self._middle,
            _list(self._variables.values() if masked else self._environment()),
        )
        text = f"{_VERSIONED if versioned else 'Derive('}{','.join(parts)})"
        return text.encode("utf-8", "surrogateescape")

    def _environment(self) -> Iterable[str]:
        known = self.derivation.environment
        outputs = {name: known[name] for name in self.derivation.outputs if name in known}
        variables = self._variables | _pairs(outputs)
        return [pair for name, pair in variables.items() if name in known]


def _items(table: Mapping[str, T]) -> list[tuple[str, T]]:
    return [(name, table[name]) for name in in_order(table)]


def _pairs(variables: Mapping[str, str]) -> dict[str, str]:
    """The text of each, in order."""
    names = in_order(variables)
    spelled = zip(names, _strings(names), _strings([variables[name] for name in names]), strict=True)
    return {name: f"({spelling},{value})" for name, spelling, value in spelled}


def _strings(texts: list[str]) -> list[str]:
    # All at once, with between them what is in no string of Nix: one by one takes three times as long.
    if not texts:
        return texts
    escaped = _escaped("\0".join(texts)).split("\0")
    if len(escaped) != len(texts):
        escaped = [_escaped(text) for text in texts]
    return [f'"{text}"' for text in escaped]


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _outputs(outputs: Mapping[str, Output], masked: bool) -> str:
    return _list(
        [
            f'("{name}","{"" if masked else output.path}","{output.method}","{output.digest}")'
            for name, output in _items(outputs)
        ]
    )


def _list(items: Iterable[str]) -> str:
    return f"[{','.join(items)}]"


def _names(names: Iterable[str]) -> str:
    return _list([f'"{name}"' for name in in_order(names)])


@lru_cache(maxsize=256)
def _output_names(names: frozenset[str]) -> str:
    return _names(names)


def _inputs(inputs: Mapping[str, Wanted]) -> str:
    return _list(
        [
            f'("{name}",{_dynamic(wanted) if wanted.dynamic else _output_names(wanted.outputs)})'
            for name, wanted in _items(inputs)
        ]
    )


def _dynamic(wanted: Wanted) -> str:
    return f"({_output_names(wanted.outputs)},{_inputs(wanted.dynamic)})"


def parse(data: bytes, name: str) -> Derivation:
    """The derivation that `data` describes; its `name` is that of the file, without `.drv`.

    Raises ConversionError.
    """
    return _Parser(data.decode("utf-8", "surrogateescape"), name).derivation()


# A string, up to its closing quote. Possessive: what cannot match is found out in one pass.
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANING = {"n": "\n", "r": "\r", "t": "\t"}


def _unescaped(text: str) -> str:
    text = _ESCAPE.sub(lambda escape: _MEANING.get(escape[1], escape[1]), text)
    if text.isascii():
        return text
    # Lone bytes that a backslash kept apart may form a character.
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


class _Parser:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.at = 0
        self.dynamic = False

    def derivation(self) -> Derivation:
        self.dynamic = self.text.startswith(_VERSIONED)
        self.expect(_VERSIONED if self.dynamic else "Derive(")
        outputs = dict(self.sequence(self.output))
        self.expect(",")
        inputs = dict(self.sequence(self.input))
        self.expect(",")
        sources = set(self.sequence(self.path))
        self.expect(",")
        system = self.string()
        self.expect(",")
        builder = self.string()
        self.expect(",")
        arguments = self.sequence(self.string)
        self.expect(",")
        environment = dict(self.sequence(self.pair))
        self.expect(")")
        if self.at != len(self.text):
            self.fail("something after the end")
        return Derivation(self.name, outputs, inputs, sources, system, builder, arguments, environment)

    def output(self) -> tuple[str, Output]:
        self.expect("(")
        name = self.string()
        self.expect(",")
        path = self.string()
        self.expect(",")
        method = self.string()
        self.expect(",")
        digest = self.string()
        self.expect(")")
        return name, self.checked(Output(path, method, digest))

    def checked(self, output: Output) -> Output:
        """`output`, if it is one of those that there are; its digest in base 16."""
        path, method, digest = output
        if method and digest in ("", "impure"):
            self.algorithm(method)
            if path:
                self.fail("an output that is addressed by its content has no path")
            return output
        if path or method:
            self.check_path(path)
        return Output(path, method, self.base16(digest, self.algorithm(method)) if method else "")

    def algorithm(self, method: str) -> str:
        prefix, _, algorithm = method.rpartition(":")
        if prefix not in ("", "r", "git", "text") or algorithm not in SIZES:
            self.fail(f"unknown hash algorithm '{method}'")
        return algorithm

    def base16(self, digest: str, algorithm: str) -> str:
        try:
            if ":" in digest or "-" in digest:
                raise InvalidHash(f"hash '{digest}' is not a digest alone")
            return parse_hash(digest, algorithm).spell("base16")
        except InvalidHash as error:
            self.fail(error.message)

    def input(self) -> tuple[str, Wanted]:
        self.expect("(")
        path = self.path()
        self.expect(",")
        wanted = self.wanted(0)
        self.expect(")")
        return path, wanted

    def wanted(self, depth: int) -> Wanted:
        if not (self.dynamic and self.text.startswith("(", self.at)):
            return Wanted(frozenset(self.sequence(self.string)))
        if depth > MAX_DYNAMIC:
            self.fail("dynamic derivations nested too deeply")
        self.expect("(")
        outputs = frozenset(self.sequence(self.string))
        self.expect(",")
        dynamic = dict(self.sequence(lambda: self.child(depth + 1)))
        self.expect(")")
        return Wanted(outputs, dynamic)

    def child(self, depth: int) -> tuple[str, Wanted]:
        self.expect("(")
        name = self.string()
        self.expect(",")
        wanted = self.wanted(depth)
        self.expect(")")
        return name, wanted

    def pair(self) -> tuple[str, str]:
        self.expect("(")
        name = self.string()
        self.expect(",")
        value = self.string()
        self.expect(")")
        return name, value

    def path(self) -> str:
        path = self.string()
        self.check_path(path)
        return path

    def check_path(self, path: str) -> None:
        if not path.startswith("/"):
            self.fail(f"bad path '{path}' in derivation")
        problem = base_problem(path.rpartition("/")[2])
        if problem is not None:
            self.fail(problem)

    def sequence(self, item: Callable[[], T]) -> list[T]:
        self.expect("[")
        items: list[T] = []
        while not self.text.startswith("]", self.at):
            if items:
                self.expect(",")
            items.append(item())
        self.at += 1
        return items

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            self.fail("expected a string")
        self.at = found.end()
        text = found[1]
        return _unescaped(text) if "\\" in text else text

    def expect(self, word: str) -> None:
        if not self.text.startswith(word, self.at):
            self.fail(f"expected string '{word}'")
        self.at += len(word)

    def fail(self, what: str) -> NoReturn:
        raise ConversionError(f"error parsing derivation '{self.name}': {what}, at character {self.at}")
