"""Store paths: `/nix/store/` + 32 digits + `-` + name, where the digits name what is inside.

(Nix manual, "Store Path Specification")
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from hashlib import sha256

from aionix.errors import InvalidArgument
from aionix.store import nix32
from aionix.store.derivation import EXTENSION, in_order

DIGEST_LENGTH = 32
MAX_NAME_LENGTH = 211
_DIGITS = frozenset(nix32.ALPHABET)
_NAME_BYTES = frozenset((string.ascii_letters + string.digits + "+-._?=").encode())

# Most names, told at a glance.
_PLAIN_NAME = re.compile(rf"[a-zA-Z0-9+_?=][a-zA-Z0-9+\-._?=]{{0,{MAX_NAME_LENGTH - 1}}}")


def store_path(kind: str, inner: bytes, name: str, store_dir: str) -> str:
    """The path of what `kind` and `inner`, a SHA-256, describe.

    `kind` is `source`, `text`, `output:out` and so on, with references. Raises
    InvalidArgument if `name` cannot be part of a store path.
    """
    fingerprint = f"{kind}:sha256:{inner.hex()}:{store_dir}:{name}"
    digest = sha256(fingerprint.encode("utf-8", "surrogateescape")).digest()
    base = f"{nix32.encode(compress(digest, 20))}-{name}"
    problem = name_problem(name)
    if problem is not None:
        raise InvalidArgument(f"path '{base}' is not a valid store path: {problem}")
    return f"{store_dir}/{base}"


def compress(digest: bytes, size: int) -> bytes:
    """`digest` folded onto itself by exclusive or."""
    folded = 0
    for start in range(0, len(digest), size):
        folded ^= int.from_bytes(digest[start : start + size], "little")
    return folded.to_bytes(size, "little")


def name_problem(name: str) -> str | None:
    """Why `name` cannot end a store path, in Nix's words; None if it can."""
    if _PLAIN_NAME.fullmatch(name):
        return None
    data = name.encode("utf-8", "surrogateescape")
    if not data:
        return "name must not be empty"
    if len(data) > MAX_NAME_LENGTH:
        return f"name '{name}' must be no longer than {MAX_NAME_LENGTH} characters"
    if name in (".", ".."):
        return f"name '{name}' is not valid"
    first, dash, _ = name.partition("-")
    if dash and first in (".", ".."):
        return f"name '{name}' is not valid: first dash-separated component must not be '{first}'"
    for index, byte in enumerate(data):
        if byte not in _NAME_BYTES:
            char = data[index : index + 1].decode("utf-8", "surrogateescape")
            return f"name '{name}' contains illegal character '{char}'"
    return None


def source_path(
    name: str,
    nar_sha256: bytes,
    store_dir: str = "/nix/store",
    references: Iterable[str] = (),
    refers_to_itself: bool = False,
) -> str:
    """Where a file tree is kept that is addressed by its NAR: `"${./tree}"`, `builtins.path`.

    For one that `refers_to_itself` the digest is that of a `self_reference.ModuloHasher`.
    """
    own = ("self",) if refers_to_itself else ()
    return store_path(":".join(["source", *in_order(references), *own]), nar_sha256, name, store_dir)


def text_path(
    name: str, content: bytes, references: Iterable[str] = (), store_dir: str = "/nix/store"
) -> str:
    """Where a text is kept that mentions `references`: `toFile`, derivations."""
    kind = ":".join(["text", *in_order(references)])
    return store_path(kind, sha256(content).digest(), name, store_dir)


def fixed_output_path(
    name: str, method: str, algorithm: str, digest: bytes, store_dir: str = "/nix/store"
) -> str:
    """Where something is kept whose hash is known beforehand.

    `method` says of what: "" of a file's content, "r:" of the NAR, "git:" of the git object, "text:" of a
    text without references.
    """
    if algorithm == "sha256" and method in ("r:", "text:"):
        return store_path("source" if method == "r:" else "text", digest, name, store_dir)
    inner = sha256(f"fixed:out:{method}{algorithm}:{digest.hex()}:".encode()).digest()
    return store_path("output:out", inner, name, store_dir)


def output_path(name: str, output: str, modulo: bytes, store_dir: str = "/nix/store") -> str:
    """Where an output of the derivation `name` is kept; `modulo` is the derivation's masked hash."""
    return store_path(f"output:{output}", modulo, output_name(name, output), store_dir)


def output_name(name: str, output: str) -> str:
    """The name that the path of a derivation's output ends with."""
    return name if output == "out" else f"{name}-{output}"


def placeholder(output: str) -> str:
    """What stands for the path of an output in the derivation that makes it."""
    return "/" + nix32.encode(_sha256(f"nix-output:{output}"))


def downstream_placeholder(path: str, output: str) -> str:
    """What stands, in other derivations, for an output whose path is not known before it is built.

    `path` is the derivation's, or the placeholder of a derivation that will be built.
    """
    if path.endswith(EXTENSION):
        digits, name = split_path(path)
        return "/" + nix32.encode(
            _sha256(f"nix-upstream-output:{digits}:{output_name(name.removesuffix(EXTENSION), output)}")
        )
    inner = compress(nix32.decode(path[1:], 32), 20)
    return "/" + nix32.encode(_sha256(f"nix-computed-output:{nix32.encode(inner)}:{output}"))


def _sha256(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogateescape")).digest()


def split_path(path: str) -> tuple[str, str]:
    """The digits and the name of a store path."""
    base = path.rpartition("/")[2]
    return base[:DIGEST_LENGTH], base[DIGEST_LENGTH + 1 :]


def base_problem(base: str) -> str | None:
    """Why `base` cannot stand in a store, in Nix's words; None if it can: 32 digits, a dash, a name.

    What stands for the dash may be anything, to Nix too.
    """
    digits = base[:DIGEST_LENGTH]
    if len(base) <= DIGEST_LENGTH:
        return f"'{base}' is too short to be a valid store path"
    for char in digits:
        if char not in _DIGITS:
            return f"store path '{base}' contains illegal base-32 character '{char}'"
    problem = name_problem(base[DIGEST_LENGTH + 1 :])
    return None if problem is None else f"path '{base}' is not a valid store path: {problem}"


def in_store(path: str, store_dir: str) -> str | None:
    """The store path that `path` is, or is inside of; None if it is elsewhere.

    Raises InvalidArgument if what stands there can be no store path.
    """
    if not path.startswith(store_dir + "/"):
        return None
    base = path[len(store_dir) + 1 :].partition("/")[0]
    problem = base_problem(base)
    if problem is not None:
        raise InvalidArgument(problem)
    return f"{store_dir}/{base}"


def base_name(path: str) -> str:
    """The name of the store path that a copy of `path` gets."""
    return path.rpartition("/")[2] or "source"
