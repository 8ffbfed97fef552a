"""What the language offers by name: the global scope of an evaluation.

One file per subject; each registers its functions with `registry.builtin`. Files whose builtins
take the `Host` reach the outside world, the others cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from aionix.builtins import (  # noqa: F401  # they register their functions
    arithmetic,
    attrs,
    closure,
    context,
    control,
    decode,
    derivation,
    encode,
    fetchers,
    files,
    hashing,
    imports,
    lists,
    regex,
    sorting,
    sources,
    strings,
    types,
    versions,
)  # fmt: skip
from aionix.builtins.environment import constants
from aionix.builtins.registry import REGISTRY, Spec, make_spec
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Thunk, Value
from aionix.vm.host import Host

#: Builtins that are written in Nix. Read when this module is: later, it would block the loop.
_IN_NIX = {
    source.stem: source.read_text() for source in Path(__file__).with_name("nix").glob("*.nix")
}

#: Files that programs import as `<nix/NAME>`.
INTERNAL_FILES = {
    file.name: file.read_bytes() for file in Path(__file__).with_name("nix").glob("corepkgs/*.nix")
}

#: Builtins that are variables of their own too (Nix manual, "Built-ins"); all others are
#: reached as `builtins.name`, or as `__name`.
_GLOBAL_NAMES = frozenset(
    "abort baseNameOf break derivation derivationStrict dirOf fetchGit fetchMercurial fetchTarball "
    "fetchTree fromTOML import isNull map placeholder removeAttrs scopedImport throw toString".split()
)

#: The dialect: what C++ Nix 2.26.3 calls itself. Code asks for it to choose its ways.
LANGUAGE_VERSION = 6


def make_scope(
    host: Host, from_source: Callable[[str, str], Thunk], version: str, extra: Iterable[Spec] = ()
) -> dict[str, Value]:
    """The global variables of an evaluation: `builtins` and what is visible without it.

    `from_source(name, text)` gives the thunk of a builtin that is written in Nix.
    """
    specs = {**REGISTRY, **{spec.name: spec for spec in extra}}
    if "dynamic-derivations" in host.features:
        specs["outputOf"] = make_spec("outputOf", derivation.output_of)
    members: dict[str, Value] = {name: spec.bind(host) for name, spec in specs.items()}
    members |= constants(host)
    members["langVersion"] = LANGUAGE_VERSION
    members["nixVersion"] = f"2.26.3-compat-aionix-{version}"
    for name, text in _IN_NIX.items():
        members[name] = from_source(f"<builtin {name}>", text)
    scope: dict[str, Value] = {"true": True, "false": False, "null": None}
    builtins = AttrSet(members | scope)
    builtins["builtins"] = scope["builtins"] = builtins
    for name, value in members.items():
        scope[name if name in _GLOBAL_NAMES else f"__{name}"] = value
    for spec in extra:
        scope[spec.name] = members[spec.name]
    return scope
