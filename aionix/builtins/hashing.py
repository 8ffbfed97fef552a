"""Hashes of strings and files, their spellings, and the placeholders for output paths."""

from __future__ import annotations

from aionix.builtins.registry import Lazy, PlainStr, builtin, expect_attrs, expect_plain_str, expect_str
from aionix.errors import MissingAttribute, NixError
from aionix.store.hashes import (
    Hash,
    check_algorithm,
    check_format,
    hash_bytes,
    parse_hash,
    parse_hash_allow_empty,
)
from aionix.store.paths import placeholder as output_placeholder
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_path
from aionix.values.strings import to_bytes
from aionix.values.thunk import Value
from aionix.vm.host import Host
from aionix.vm.requests import in_fiber
from aionix.vm.sources import hash_contents


@builtin("hashString")
def hash_string(algorithm: PlainStr, text: Lazy) -> Value:
    """The hash of `text` in base 16; `algorithm` is "md5", "sha1", "sha256" or "sha512"."""
    check_algorithm(algorithm)
    return hash_bytes(algorithm, to_bytes(expect_str(text))).spell("base16")


@builtin("hashFile")
async def hash_file(host: Host, algorithm: PlainStr, path: Lazy) -> Value:
    """The hash of the file at `path` in base 16; the algorithms are those of `hashString`."""
    check_algorithm(algorithm)
    digest = await hash_contents(host.io, await in_fiber(lambda: coerce_to_path(path)), algorithm)
    return digest.hex()


@builtin("convertHash")
def convert_hash(arguments: Lazy) -> Value:
    """The hash `hash`, spelled as `toHashFormat` says: "base16", "nix32", "base64" or "sri".

    `hashAlgo` must be given unless `hash` names its algorithm.
    """
    given = expect_attrs(arguments)
    text = _string_attribute(given, "hash")
    algorithm = check_algorithm(_string_attribute(given, "hashAlgo")) if "hashAlgo" in given else None
    format = check_format(_string_attribute(given, "toHashFormat"))
    return parse_hash(text, algorithm).spell(format)


def _string_attribute(attrs: AttrSet, name: str) -> str:
    if name not in attrs:
        raise MissingAttribute(f"attribute '{name}' missing")
    try:
        return expect_plain_str(attrs[name])
    except NixError as error:
        error.add_frame(f"while evaluating the attribute '{name}'", attrs.position_of(name))
        raise


@builtin("placeholder")
def placeholder(output: PlainStr) -> Value:
    """A string that the path of `output` replaces when the derivation is built."""
    return output_placeholder(output)


def parse_given_hash(host: Host, text: str, algorithm: str | None) -> Hash:
    """As `parse_hash`; an empty `text` is a hash of zeros, which is told: it will be seen to be wrong."""
    hash = parse_hash_allow_empty(text, algorithm)
    if not text:
        host.warn(f"found empty hash, assuming '{hash.spell('sri')}'")
    return hash
