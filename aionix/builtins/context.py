"""String contexts: the store paths that a string depends on.

How an element is written is said in `values.strings`. To Nix code a context is a set with, by
store path, `path = true` (that path), `allOutputs = true` (a derivation and all its outputs) and
`outputs = [ ... ]` (these outputs of it).
"""

from __future__ import annotations

from aionix.builtins.registry import (
    Coerced,
    builtin,
    expect_attrs,
    expect_bool,
    expect_list,
    expect_plain_str,
)
from aionix.errors import ContextError
from aionix.store.paths import base_problem
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.paths import clean
from aionix.values.printing import show_name
from aionix.values.strings import Context, ContextString, context_of, plain, with_context
from aionix.values.thunk import Value
from aionix.vm.host import Host


@builtin("hasContext")
def has_context(text: str) -> bool:
    """Whether the string depends on anything in the store."""
    return type(text) is ContextString


@builtin("getContext")
def get_context(host: Host, text: str) -> Value:
    """What the string depends on: a set with a set for each store path, which has `path`,
    `allOutputs` or `outputs`.

    There is no answer for an output of a derivation that is to be built first.
    """
    found: dict[str, AttrSet] = {}
    outputs: dict[str, list[str]] = {}
    for element in context_of(text):
        if element[0] == "!":
            output, _, maker = element[1:].partition("!")
            outputs.setdefault(_derivation(host, maker), []).append(output)
        elif element[0] == "=":
            found.setdefault(element[1:], AttrSet())["allOutputs"] = True
        else:
            found.setdefault(element, AttrSet())["path"] = True
    for path, names in outputs.items():
        found.setdefault(path, AttrSet())["outputs"] = tuple(sorted_names(names))
    return AttrSet(found)


def _derivation(host: Host, maker: str) -> str:
    """The store path of a derivation, of which `maker` may say that it is an output of another."""
    if maker.startswith("/"):
        return maker
    output, _, inner = maker.partition("!")
    path = _derivation(host, inner)
    known = host.store.known(path).outputs
    if output not in known:
        raise ContextError(f"derivation '{path}' does not have an output named '{output}'")
    if not known[output].path:
        raise ContextError(f"cannot operate on output '{output}' of the unbuilt derivation '{path}'")
    return known[output].path


@builtin("appendContext")
def append_context(host: Host, text: str, context: AttrSet) -> str:
    """The string, which now depends on `context` too, a set as `getContext` gives it."""
    return with_context(text, append_to_context(context_of(text), context, host.store_dir))


def append_to_context(context: Context, wanted: AttrSet, store_dir: str) -> Context:
    """`context` and what the set `wanted` asks for. Raises ContextError."""
    added: set[str] = set()
    for key, value in wanted.items():
        path = _store_path(key, store_dir)
        added |= _elements(key, path, expect_attrs(value))
    return context | added


def _store_path(key: str, store_dir: str) -> str:
    path = clean(key)
    directory, _, base = path.rpartition("/")
    if not key.startswith("/") or directory != store_dir or base_problem(base) is not None:
        raise ContextError(f"context key '{show_name(key)}' is not a store path")
    return path


def _elements(key: str, path: str, wanted: AttrSet) -> set[str]:
    elements: set[str] = set()
    if "path" in wanted and expect_bool(wanted["path"]):
        elements.add(path)
    if "allOutputs" in wanted and expect_bool(wanted["allOutputs"]):
        _require_derivation(key, path, "all-outputs context")
        elements.add(f"={path}")
    if "outputs" in wanted:
        outputs = expect_list(wanted["outputs"])
        if outputs:
            _require_derivation(key, path, "derivation output context")
        elements.update([f"!{expect_plain_str(output)}!{path}" for output in outputs])
    return elements


def _require_derivation(key: str, path: str, what: str) -> None:
    if not path.endswith(".drv"):
        raise ContextError(f"tried to add {what} of {show_name(key)}, which is not a derivation, to a string")


@builtin("unsafeDiscardStringContext")
def unsafe_discard_string_context(text: Coerced) -> str:
    """The string, which depends on nothing any more."""
    return plain(text)


@builtin("unsafeDiscardOutputDependency")
def unsafe_discard_output_dependency(text: Coerced) -> str:
    """The string; where it depended on a derivation with all its outputs, it now depends on the
    derivation's file only."""
    return with_context(text, frozenset([element.removeprefix("=") for element in context_of(text)]))


@builtin("addDrvOutputDependencies")
def add_drv_output_dependencies(text: Coerced) -> str:
    """The string, which must depend on one derivation's file; it now depends on the derivation
    with all its outputs."""
    context = context_of(text)
    if len(context) != 1:
        raise ContextError(
            f"context of string '{text}' must have exactly one element, but has {len(context)}"
        )
    (element,) = context
    if element[0] == "!":
        output = element[1:].partition("!")[0]
        raise ContextError(
            "`addDrvOutputDependencies` can only act on derivations, "
            f"not on a derivation output such as '{output}'"
        )
    path = element.removeprefix("=")
    if not path.endswith(".drv"):
        raise ContextError(f"path '{path}' is not a derivation")
    return with_context(text, frozenset({f"={path}"}))
