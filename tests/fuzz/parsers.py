"""Coverage-guided fuzzing of the parsers of the store, with Atheris (`pip install atheris`).

    python tests/fuzz/parsers.py nar|narinfo|hash|aterm|nix32 [-max_total_time=60] [libFuzzer's options]

Whatever the bytes, a parser answers or raises its own error; what was read and written is read as the
same again. Anything else is a crash, kept as `crash-*`. A directory of examples, given last, helps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import atheris  # type: ignore[import-not-found]  # optional

with atheris.instrument_imports(include=["aionix.store"]):
    from aionix.errors import EvalError
    from aionix.store import nix32
    from aionix.store.aterm import parse, unparse
    from aionix.store.hashes import FORMATS, SIZES, parse_hash, parse_sri
    from aionix.store.nar_reader import NarEntry, NarReader, nar_entries
    from aionix.store.narinfo import parse_narinfo


def nar(data: bytes) -> None:
    found: list[NarEntry] = []
    pieces = NarReader(found.append)
    for at in range(0, len(data), 7):
        pieces.feed(data[at : at + 7])
    pieces.close()
    assert found == nar_entries(data)
    assert all(entry.offset + entry.size <= len(data) for entry in found)


def narinfo(data: bytes) -> None:
    info = parse_narinfo(data, "fuzzed")
    assert info.fingerprint()
    assert parse_narinfo(info.to_text().encode("utf-8", "surrogateescape"), "again") == info


def hash(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for algorithm in (None, *SIZES):
        try:
            found = parse_hash(text, algorithm)
        except EvalError:
            continue
        for format in FORMATS:
            assert parse_hash(found.spell(format), found.algorithm) == found
    parse_sri(text)


def aterm(data: bytes) -> None:
    derivation = parse(data, "fuzzed")
    assert unparse(derivation)
    assert unparse(derivation, masked=True)


def nix32_digits(data: bytes) -> None:
    assert nix32.decode(nix32.encode(data), len(data)) == data
    text = data.decode("latin-1")
    for size in range(len(data) + 1):
        try:
            found = nix32.decode(text, size)
        except ValueError:
            continue
        assert nix32.encode(found) == text


TARGETS: dict[str, Callable[[bytes], None]] = {
    "nar": nar,
    "narinfo": narinfo,
    "hash": hash,
    "aterm": aterm,
    "nix32": nix32_digits,
}


def refusing(target: Callable[[bytes], None], data: bytes) -> None:
    try:
        target(data)
    except EvalError as error:
        assert error.message


def main() -> None:
    target = TARGETS[sys.argv.pop(1)] if len(sys.argv) > 1 and sys.argv[1] in TARGETS else None
    if target is None:
        sys.exit(__doc__)
    atheris.Setup(sys.argv, partial(refusing, target))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
