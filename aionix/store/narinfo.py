"""narinfo: what a binary cache says of a store path, in lines of `Name: value`.

(Nix manual, "HTTP Binary Cache Store"; the fields are those that C++ Nix reads)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aionix.errors import ConversionError, InvalidHash
from aionix.store.hashes import Hash, parse_hash
from aionix.store.paths import base_problem

#: Bytes in a narinfo, at most: room for some ten thousand references.
MAX_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class NarInfo:
    """A store path, where its NAR is, and what must be in it.

    Sizes are in bytes; `file_*` is the NAR as it lies there, compressed. References and deriver are
    without the store's directory; a deriver that is not known is None.
    """

    path: str
    url: str
    nar_hash: Hash
    nar_size: int
    compression: str = "bzip2"
    file_hash: Hash | None = None
    file_size: int = 0
    references: frozenset[str] = field(default_factory=frozenset)
    deriver: str | None = None
    signatures: frozenset[str] = field(default_factory=frozenset)
    ca: str | None = None

    def fingerprint(self) -> str:
        """The text that signatures sign."""
        directory = self.path.rpartition("/")[0]
        references = ",".join([f"{directory}/{name}" for name in sorted(self.references)])
        return f"1;{self.path};{_spelled(self.nar_hash)};{self.nar_size};{references}"

    def to_text(self) -> str:
        """The text of which `parse_narinfo` makes this."""
        fields: list[tuple[str, str | None]] = [
            ("StorePath", self.path),
            ("URL", self.url),
            ("Compression", self.compression),
            ("FileHash", _spelled(self.file_hash) if self.file_hash else None),
            ("FileSize", str(self.file_size) if self.file_size else None),
            ("NarHash", _spelled(self.nar_hash)),
            ("NarSize", str(self.nar_size)),
            ("References", " ".join(sorted(self.references))),
            ("Deriver", self.deriver),
            *[("Sig", signature) for signature in sorted(self.signatures)],
            ("CA", self.ca),
        ]
        return "".join([f"{name}: {value}\n" for name, value in fields if value is not None])


def parse_narinfo(data: bytes, name: str, store_dir: str = "/nix/store") -> NarInfo:
    """Reads the narinfo called `name`. Fields that are not known are passed over.

    Raises ConversionError.
    """
    if len(data) > MAX_SIZE:
        raise _corrupt(name, f"it has more than {MAX_SIZE} bytes")
    reading = _Reading(store_dir)
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            reading.line(line)
        except ValueError as problem:
            raise _corrupt(name, f"at line {number}: {problem}") from problem
    if lines[-1]:
        raise _corrupt(name, f"at line {len(lines)}: expecting '\\n'")
    try:
        return reading.finished()
    except ValueError as problem:
        raise _corrupt(name, str(problem)) from problem


def _corrupt(name: str, problem: str) -> ConversionError:
    return ConversionError(f"NAR info file '{name}' is corrupt: {problem}")


class _Reading:
    """The fields that were met. Raises ValueError with the reason in Nix's words."""

    def __init__(self, store_dir: str) -> None:
        self._store_dir = store_dir
        self._texts: dict[str, str] = {}
        self._hashes: dict[str, Hash] = {}
        self._numbers: dict[str, int] = {}
        self._references: frozenset[str] = frozenset()
        self._signatures: set[str] = set()

    def line(self, line: str) -> None:
        name, colon, value = line.partition(": ")
        if not colon:
            raise ValueError("expecting ':'")
        reader = _FIELDS.get(name)
        if reader is not None:
            reader(self, name, value)

    def finished(self) -> NarInfo:
        if "StorePath" not in self._texts:
            raise ValueError("StorePath missing")
        if "NarHash" not in self._hashes:
            raise ValueError("NarHash missing")
        if not self._texts.get("URL"):
            raise ValueError("URL missing")
        if not self._numbers.get("NarSize"):
            raise ValueError("NarSize missing or zero")
        return NarInfo(
            path=self._texts["StorePath"],
            url=self._texts["URL"],
            nar_hash=self._hashes["NarHash"],
            nar_size=self._numbers["NarSize"],
            compression=self._texts.get("Compression") or "bzip2",
            file_hash=self._hashes.get("FileHash"),
            file_size=self._numbers.get("FileSize", 0),
            references=self._references,
            deriver=self._texts.get("Deriver"),
            signatures=frozenset(self._signatures),
            ca=self._texts.get("CA"),
        )

    def text(self, name: str, value: str) -> None:
        self._texts[name] = value

    def store_path(self, name: str, value: str) -> None:
        directory, _, base = value.rpartition("/")
        if directory != self._store_dir:
            raise ValueError(f"path '{value}' is not in the Nix store")
        self._texts[name] = f"{directory}/{_base(base)}"

    def hash(self, name: str, value: str) -> None:
        self._hashes[name] = _hash(value)

    def number(self, name: str, value: str) -> None:
        if not (value.isascii() and value.isdigit() and len(value) <= 20 and int(value) < 1 << 64):
            raise ValueError(f"invalid {name}")
        self._numbers[name] = int(value)

    def references(self, name: str, value: str) -> None:
        if self._references:
            raise ValueError("extra References")
        self._references = frozenset([_base(base) for base in value.split(" ") if base])

    def deriver(self, name: str, value: str) -> None:
        if value != "unknown-deriver":
            self._texts[name] = _base(value)

    def signature(self, name: str, value: str) -> None:
        self._signatures.add(value)

    def content_address(self, name: str, value: str) -> None:
        if name in self._texts:
            raise ValueError("extra CA")
        if value:
            self._texts[name] = _content_address(value)


_FIELDS: dict[str, Callable[[_Reading, str, str], None]] = {
    "StorePath": _Reading.store_path,
    "URL": _Reading.text,
    "Compression": _Reading.text,
    "FileHash": _Reading.hash,
    "FileSize": _Reading.number,
    "NarHash": _Reading.hash,
    "NarSize": _Reading.number,
    "References": _Reading.references,
    "Deriver": _Reading.deriver,
    "Sig": _Reading.signature,
    "CA": _Reading.content_address,
}


def _base(base: str) -> str:
    problem = base_problem(base)
    if problem is not None:
        raise ValueError(problem)
    return base


def _hash(text: str) -> Hash:
    try:
        return parse_hash(text)
    except InvalidHash as error:
        raise ValueError("bad hash") from error


def _content_address(text: str) -> str:
    """`text:sha256:...`, or `fixed:`, `r:` or `git:` if it is not flat, and a hash."""
    method, _, rest = text.partition(":")
    if method == "fixed":
        rest = rest.removeprefix("r:").removeprefix("git:")
    elif method != "text":
        raise ValueError("bad CA")
    _hash(rest)
    return text


def _spelled(digest: Hash) -> str:
    return f"{digest.algorithm}:{digest.spell('nix32')}"
