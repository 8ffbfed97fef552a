"""`derivationStrict`: from a set of attributes to a derivation and the paths of its outputs.

(Nix manual, "Derivations" and "Advanced Attributes")
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from aionix.builtins.encode import json_string, parts_of_json, to_json
from aionix.builtins.hashing import parse_given_hash
from aionix.builtins.registry import (
    Lazy,
    builtin,
    expect_attrs,
    expect_bool,
    expect_list,
    expect_plain_str,
    expect_str,
)
from aionix.errors import ContextError, InvalidArgument, InvalidHash, MissingAttribute, NixError
from aionix.store.derivation import EXTENSION, Derivation, Output, Wanted
from aionix.store.hashes import SIZES
from aionix.store.paths import downstream_placeholder, fixed_output_path, name_problem, placeholder
from aionix.store.virtual import VirtualStore
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.coercion import coerce_to_string, parts_of_text
from aionix.values.strings import ContextString, context_of, plain, with_context
from aionix.values.thunk import Value, current_fiber
from aionix.values.walk import begin, end
from aionix.vm.host import Host

#: `outputHashMode` -> how a hash of that kind is marked in a derivation.
_METHODS = {"flat": "", "recursive": "r:", "nar": "r:", "text": "text:", "git": "git:"}
_FEATURE_OF_METHOD = {"text:": "dynamic-derivations", "git:": "git-hashing"}

_WORD = re.compile(r"[^ \t\n\r]+")

#: Attributes that a derivation with structured attributes does not heed any more.
_WITHOUT_EFFECT = {
    "allowedReferences": "outputChecks.<output>.allowedReferences",
    "allowedRequisites": "outputChecks.<output>.allowedRequisites",
    "disallowedReferences": "outputChecks.<output>.disallowedReferences",
    "disallowedRequisites": "outputChecks.<output>.disallowedRequisites",
    "maxSize": "outputChecks.<output>.maxSize",
    "maxClosureSize": "outputChecks.<output>.maxClosureSize",
}


@builtin("derivationStrict")
def derivation_strict(host: Host, attributes: Value) -> Value:
    """The paths of a derivation (`drvPath`) and of its outputs, by name. `derivation` is made of it."""
    attributes = expect_attrs(attributes)
    name = _name(attributes)
    try:
        problem = name_problem(name)
        if problem is not None:
            raise InvalidArgument(f"invalid derivation name: {problem}. Please pass a different 'name'.")
        return _paths(host.store, _Draft(host, name).read(attributes))
    except NixError as error:
        span = attributes.position_of("name")
        place = host.sources.describe(span) if span is not None else "«none»"
        error.add_frame(f"while evaluating derivation '{name}'\nwhose name attribute is located at {place}")
        raise


def _name(attributes: AttrSet) -> str:
    if "name" not in attributes:
        raise MissingAttribute("attribute 'name' missing")
    try:
        return expect_plain_str(attributes["name"])
    except NixError as error:
        error.add_frame("while evaluating the derivation attribute 'name'", attributes.position_of("name"))
        raise


def _paths(store: VirtualStore, path: str) -> AttrSet:
    result = AttrSet(drvPath=with_context(path, frozenset({f"={path}"})))
    for name in store.derivations[path].outputs:
        result[name] = with_context(store.output(path, name), frozenset({f"!{name}!{path}"}))
    return result


class _Draft:
    """A derivation, while its attributes are read."""

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name
        self.derivation = Derivation(name)
        self.context: set[str] = set()
        self.outputs = ["out"]
        self.hash: str | None = None
        self.algorithm: str | None = None
        self.method: str | None = None
        self.floating = False
        self.impure = False

    def read(self, attributes: AttrSet) -> str:
        """The store path of the derivation with these attributes."""
        structured = _flag(attributes, "__structuredAttrs")
        ignore_nulls = _flag(attributes, "__ignoreNulls")
        json: list[str] = []
        parts = parts_of_json if structured else parts_of_text
        walks = begin([iter(attributes.values())], parts, True)
        try:
            self.read_all(attributes, structured, ignore_nulls, json)
        finally:
            end(walks)
        if structured:
            self.derivation.environment["__json"] = f"{{{','.join(json)}}}"
        return self.finish()

    def read_all(
        self, attributes: AttrSet, structured: bool, ignore_nulls: bool, json: list[str]
    ) -> None:
        for name in sorted_names(attributes):
            if name == "__ignoreNulls":
                continue
            value = attributes[name]
            try:
                if ignore_nulls:
                    if type(value) is list:
                        value = value[1] if value[0] is None else value[0](value)
                    if value is None:
                        continue
                special = _SPECIAL.get(name)
                if special is not None and special(self, value):
                    continue
                if structured:
                    self.read_structured(name, value, json)
                    continue
                if type(value) is list and value[0] is None:
                    value = value[1]
                # Most are plain strings.
                text = value if type(value) is str else coerce_to_string(value, strong=True)
                if type(text) is not str:
                    text = self.plain(text)
                self.derivation.environment[name] = text
                if name in _SETTERS:
                    _SETTERS[name](self, text)
            except NixError as error:
                message = f"while evaluating attribute '{name}' of derivation '{self.name}'"
                error.add_frame(message, attributes.position_of(name))
                raise

    # Attributes that the builder is not told of as such; and was it one?

    def read_arguments(self, value: Value) -> bool:
        self.derivation.arguments = [
            self.plain(coerce_to_string(item, strong=True)) for item in expect_list(value)
        ]
        return True

    def read_floating(self, value: Value) -> bool:
        if expect_bool(value):
            self.host.require_feature("ca-derivations")
            self.floating = True
        return self.floating

    def read_impure(self, value: Value) -> bool:
        if expect_bool(value):
            self.host.require_feature("impure-derivations")
            self.impure = True
        return self.impure

    def read_structured(self, name: str, value: Value, json: list[str]) -> None:
        if name == "__structuredAttrs":
            return
        json.append(f"{json_string(name)}:{self.plain(to_json(value))}")
        if name == "builder":
            self.derivation.builder = self.plain(expect_str(value))
        elif name == "outputs":
            self.name_outputs([expect_plain_str(item) for item in expect_list(value)])
        elif name in _SETTERS:
            _SETTERS[name](self, expect_plain_str(value))
        elif name in _WITHOUT_EFFECT:
            self.host.warn(
                f"In a derivation named '{self.name}', 'structuredAttrs' disables the effect of "
                f"the derivation attribute '{name}'; use '{_WITHOUT_EFFECT[name]}' instead"
            )

    def plain(self, text: str) -> str:
        """The text; what it depends on is noted."""
        if type(text) is ContextString:
            self.context |= text.context
        return plain(text)

    def set_builder(self, text: str) -> None:
        self.derivation.builder = text

    def set_system(self, text: str) -> None:
        self.derivation.system = text

    def set_hash(self, text: str) -> None:
        self.hash = text

    def set_algorithm(self, text: str) -> None:
        # An unknown one is as good as none: the hash itself may name its own.
        self.algorithm = text if text in SIZES else None

    def set_method(self, text: str) -> None:
        if text not in _METHODS:
            raise InvalidArgument(f"invalid value '{text}' for 'outputHashMode' attribute")
        self.method = _METHODS[text]
        if self.method in _FEATURE_OF_METHOD:
            self.host.require_feature(_FEATURE_OF_METHOD[self.method])

    def set_outputs(self, text: str) -> None:
        self.name_outputs(_WORD.findall(text))

    def name_outputs(self, names: list[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise InvalidArgument(f"duplicate derivation output '{name}'")
            if name == "drvPath":
                raise InvalidArgument("invalid derivation output name 'drvPath'")
            seen.add(name)
        if not names:
            raise InvalidArgument("derivation cannot have an empty set of outputs")
        self.outputs = sorted_names(names)

    def finish(self) -> str:
        """The store path, once all attributes are read."""
        if self.hash == "":  # which is told every time
            return self.made()
        known = self.host.drafts
        key = self.key()
        if key not in known:
            known[key] = self.made()
        return known[key]

    def key(self) -> tuple[object, ...]:
        """All that makes a difference. Half of the derivations that nixpkgs makes have been made before."""
        derivation = self.derivation
        return (
            self.name,
            tuple(derivation.environment.items()),
            tuple(derivation.arguments),
            derivation.builder,
            derivation.system,
            tuple(self.outputs),
            frozenset(self.context),
            (self.hash, self.algorithm, self.method, self.floating, self.impure),
        )

    def made(self) -> str:
        """The store path of what was not made before."""
        derivation = self.derivation
        self.add_inputs()
        if not derivation.builder:
            raise MissingAttribute("required attribute 'builder' missing")
        if not derivation.system:
            raise MissingAttribute("required attribute 'system' missing")
        if self.name.endswith(EXTENSION) and not (self.method == "text:" and self.outputs == ["out"]):
            raise InvalidArgument(
                f"derivation names are allowed to end in '{EXTENSION}' "
                "only if they produce a single derivation file"
            )
        if self.hash is not None:
            self.fix_output(self.hash)
        elif self.floating or self.impure:
            self.float_outputs()
        else:
            derivation.environment |= dict.fromkeys(self.outputs, "")
            derivation.outputs = {name: Output() for name in self.outputs}
        return self.host.store.instantiate(derivation)

    def fix_output(self, text: str) -> None:
        if self.outputs != ["out"]:
            raise InvalidArgument("multiple outputs are not supported in fixed-output derivations")
        hash = parse_given_hash(self.host, text, self.algorithm)
        method = self.method or ""
        if method == "git:" and hash.algorithm != "sha1":
            raise InvalidHash("Git file ingestion must use SHA-1 hash")
        if method == "text:" and hash.algorithm != "sha256":  # which C++ Nix does not survive
            raise InvalidHash("text ingestion must use SHA-256 hash")
        path = fixed_output_path(self.name, method, hash.algorithm, hash.digest, self.host.store_dir)
        self.derivation.environment["out"] = path
        self.derivation.outputs = {"out": Output(path, method + hash.algorithm, hash.digest.hex())}

    def float_outputs(self) -> None:
        if self.floating and self.impure:
            raise InvalidArgument("derivation cannot be both content-addressed and impure")
        method = "r:" if self.method is None else self.method
        output = Output("", method + (self.algorithm or "sha256"), "impure" if self.impure else "")
        for name in self.outputs:
            self.derivation.environment[name] = placeholder(name)
            self.derivation.outputs[name] = output

    def add_inputs(self) -> None:
        """What the attributes depend on becomes input of the derivation."""
        derivation, store = self.derivation, self.host.store
        wanted: dict[str, Wanted] = {}
        for element in self.context:
            if element[0] == "=":
                know(self.host, element[1:])
                sources, whole = store.whole(element[1:])
                derivation.input_sources |= sources
                wanted |= {path: _united(wanted.get(path), outputs) for path, outputs in whole.items()}
            elif element[0] == "!":
                names, _, path = element[1:].rpartition("!")
                know(self.host, path)
                known = wanted.get(path)
                wanted[path] = _only(names) if known is None else _with(known, names.split("!"))
            else:
                derivation.input_sources.add(element)
        derivation.input_derivations = wanted


_SETTERS: dict[str, Callable[[_Draft, str], None]] = {
    "builder": _Draft.set_builder,
    "system": _Draft.set_system,
    "outputHash": _Draft.set_hash,
    "outputHashAlgo": _Draft.set_algorithm,
    "outputHashMode": _Draft.set_method,
    "outputs": _Draft.set_outputs,
}
_SPECIAL: dict[str, Callable[[_Draft, Value], bool]] = {
    "args": _Draft.read_arguments,
    "__contentAddressed": _Draft.read_floating,
    "__impure": _Draft.read_impure,
}


def _flag(attributes: AttrSet, name: str) -> bool:
    return name in attributes and expect_bool(attributes[name])


def _united(left: Wanted | None, right: Wanted) -> Wanted:
    if left is None:
        return right
    return Wanted(left.outputs | right.outputs, {**right.dynamic, **left.dynamic})


@lru_cache(maxsize=64)
def _only(names: str) -> Wanted:
    return _with(None, names.split("!"))


def _with(wanted: Wanted | None, names: list[str]) -> Wanted:
    """`wanted`, and the output that `names` lead to, the last first."""
    wanted = wanted or Wanted()
    *outer, name = names
    if not outer:
        return Wanted(wanted.outputs | {name}, wanted.dynamic)
    return Wanted(wanted.outputs, {**wanted.dynamic, name: _with(wanted.dynamic.get(name), outer)})


def output_of(host: Host, derivation: Lazy, output: Lazy) -> Value:
    """The output `output` of a derivation that is itself an output, as a string that stands for it.

    The builtin `outputOf`, which needs the feature `dynamic-derivations`.
    """
    try:
        element = _derived_path(host, expect_str(derivation))
    except NixError as error:
        error.add_frame("while evaluating the first argument to builtins.outputOf")
        raise
    try:
        name = expect_plain_str(output)
    except NixError as error:
        error.add_frame("while evaluating the second argument to builtins.outputOf")
        raise
    element = f"!{name}{'' if element[0] == '!' else '!'}{element}"
    return with_context(_stand_in(host, element), frozenset({element}))


def _derived_path(host: Host, text: str) -> str:
    """The only element of the context of `text`, which must be what `text` says."""
    context = context_of(text)
    if len(context) != 1:
        raise ContextError(
            f"string '{text}' has {len(context)} entries in its context. "
            "It should only have exactly one entry"
        )
    (element,) = context
    if element[0] == "=":
        raise ContextError(
            f"string '{text}' has a context which refers to a complete source and binary closure. "
            "This is not supported at this time"
        )
    expected = _stand_in(host, element)
    if text == expected:
        return element
    if element[0] != "!":
        raise ContextError(f"path string '{text}' has context with the different path '{expected}'")
    output, maker = _split_output(element)
    raise ContextError(
        f"string '{text}' has context with the output '{output}' from derivation '{_shown(maker)}', "
        "but the string is not the right placeholder for this derivation output. "
        f"It should be '{expected}'"
    )


def _split_output(element: str) -> tuple[str, str]:
    """The output that `!output!derivation` means, and the element for the derivation."""
    output, _, maker = element[1:].partition("!")
    return output, maker if maker.startswith("/") else f"!{maker}"


def _shown(element: str) -> str:
    if element[0] != "!":
        return element
    output, maker = _split_output(element)
    return f"{_shown(maker)}^{output}"


def _stand_in(host: Host, element: str) -> str:
    """The path that an element of a context means, or the placeholder for it."""
    if element[0] != "!":
        return element
    output, maker = _split_output(element)
    if maker[0] != "!":
        know(host, maker)
        return host.store.output(maker, output)
    return downstream_placeholder(_placeholder(maker), output)


def _placeholder(element: str) -> str:
    output, maker = _split_output(element)
    return downstream_placeholder(maker if maker[0] != "!" else _placeholder(maker), output)


def know(host: Host, path: str) -> None:
    """Makes the derivation `path` known to the store; raises FileError."""
    if path not in host.store.derivations:
        current_fiber().suspend(host.load_derivation(path))
