"""Values as XML, in the form of `nix-instantiate --xml`. (Nix manual, `builtins.toXML`)"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MethodType
from typing import cast

from aionix.bytecode.chunk import Lambda
from aionix.errors import InternalError
from aionix.source import SourceMap, Span
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.limits import LongText, checkpoint, too_deep
from aionix.values.numbers import show_float
from aionix.values.paths import Path
from aionix.values.strings import context_of, normal, with_context
from aionix.values.thunk import Value, current_fiber, evaluated, force

#: Levels of sets and lists in each other. Indentation makes the text grow with the square of
#: the depth, here to some 80 MB; C++ Nix, too, takes minutes not much deeper.
MAX_DEPTH = 3000

_ESCAPES = str.maketrans({'"': "&quot;", "<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": "&#xA;"})
_SPECIAL = re.compile('["<>&\n]')


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


_escaped_name = lru_cache(maxsize=1024)(_escaped)


def to_xml(value: Value, *, location: bool = False, strict: bool = False) -> str:
    """An XML document about `value`, its context that of all strings in it.

    `location` adds where attributes and functions were written. Unless `strict`, what is not
    evaluated is `<unevaluated />`.
    """
    writer = _XmlWriter(_sources_here() if location else None, strict)
    writer.text.add("<?xml version='1.0' encoding='utf-8'?>\n<expr>\n")
    writer.write(value, 0)
    writer.text.add("</expr>\n")
    return with_context(normal(writer.text.whole()), frozenset(writer.context))


def _sources_here() -> SourceMap | None:
    """The sources of the running evaluation, if one is running."""
    try:
        sources = getattr(current_fiber().run, "sources", None)
    except InternalError:
        return None
    return sources if isinstance(sources, SourceMap) else None


class _XmlWriter:
    """Collects the text; an element's `attributes` are written in the order of their names."""

    def __init__(self, sources: SourceMap | None, strict: bool) -> None:
        self.sources = sources
        self.strict = strict
        self.text = LongText()
        self.indent = "  "
        self.context: set[str] = set()
        self.derivations: set[str] = set()

    def tag(self, name: str, attributes: dict[str, str], end: str) -> None:
        written = "".join([f' {key}="{_escaped(attributes[key])}"' for key in sorted(attributes)])
        self.text.add(f"{self.indent}<{name}{written}{end}\n")

    def leaf(self, name: str, /, **attributes: str) -> None:
        self.tag(name, attributes, " />")

    def open(self, name: str, attributes: dict[str, str] | None = None) -> None:
        self.tag(name, attributes or {}, ">")
        self.indent += "  "

    def close(self, name: str) -> None:
        self.indent = self.indent[2:]
        self.text.add(f"{self.indent}</{name}>\n")

    def look(self, value: Value) -> Value:
        return force(value) if self.strict else evaluated(value)

    def write(self, value: Value, depth: int) -> None:
        if type(value) is list:
            value = value[1] if value[0] is None else self.look(value)
        if isinstance(value, str):
            if type(value) is not str:
                self.context |= context_of(value)
            self.text.add(f'{self.indent}<string value="{_escaped(value)}" />\n')
        elif isinstance(value, AttrSet):
            self.write_set(value, self.deeper(depth))
        elif isinstance(value, tuple):
            self.write_list(value, self.deeper(depth))
        elif isinstance(value, MethodType):
            self.write_function(cast(Lambda, value.__func__.code))  # type: ignore[attr-defined]  # a closure
        else:
            self.write_scalar(value)

    def write_scalar(self, value: Value) -> None:
        if value is None:
            self.leaf("null")
        elif isinstance(value, bool):
            self.leaf("bool", value="true" if value else "false")
        elif isinstance(value, int):
            self.leaf("int", value=str(value))
        elif isinstance(value, float):
            self.leaf("float", value=show_float(value))
        elif isinstance(value, Path):
            self.leaf("path", value=value.text)
        else:
            self.leaf("unevaluated")

    def deeper(self, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise too_deep()
        checkpoint()
        return depth + 1

    def write_list(self, items: tuple[Value, ...], depth: int) -> None:
        self.open("list")
        for item in items:
            self.write(item, depth)
        self.close("list")

    def write_set(self, attrs: AttrSet, depth: int) -> None:
        if "type" in attrs and force(attrs["type"]) == "derivation":
            self.write_derivation(attrs, depth)
        else:
            self.open("attrs")
            self.write_attrs(attrs, depth)
            self.close("attrs")

    def write_derivation(self, attrs: AttrSet, depth: int) -> None:
        """What is inside is written once for each `drvPath`."""
        paths = {}
        for name in ("drvPath", "outPath"):
            text = self.look(attrs.get(name))
            if isinstance(text, str):
                paths[name] = text
        self.open("derivation", paths)
        path = paths.get("drvPath", "")
        if path and path not in self.derivations:
            self.derivations.add(path)
            self.write_attrs(attrs, depth)
        else:
            self.leaf("repeated")
        self.close("derivation")

    def write_attrs(self, attrs: AttrSet, depth: int) -> None:
        for name in sorted_names(attrs):
            if self.sources is None:  # quicker: most of what is written are such tags
                self.text.add(f'{self.indent}<attr name="{_escaped_name(name)}">\n')
                self.indent += "  "
            else:
                self.open("attr", {"name": name, **self.place(attrs.position_of(name))})
            self.write(attrs[name], depth)
            self.close("attr")

    def write_function(self, code: Lambda) -> None:
        self.open("function", self.place(code.span))
        if code.formals is None:
            self.leaf("varpat", name=code.parameter or "")
        else:
            pattern = {"ellipsis": "1"} if code.formals.ellipsis else {}
            if code.parameter is not None:
                pattern["name"] = code.parameter
            self.open("attrspat", pattern)
            for name in sorted_names(code.formals.names):
                self.leaf("attr", name=name)
            self.close("attrspat")
        self.close("function")

    def place(self, span: Span | None) -> dict[str, str]:
        if span is None or self.sources is None:
            return {}
        line, column = self.sources.position(span)
        name = self.sources.source_at(span.start).name
        path = {"path": name} if name.startswith("/") else {}
        return {"line": str(line), "column": str(column), **path}
