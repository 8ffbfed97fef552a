"""`toJSON`, `toXML` and what the command line prints with them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aionix.builtins.decode
import aionix.builtins.encode  # noqa: F401  # importing registers
from aionix.builtins.encode import to_json
from aionix.builtins.registry import REGISTRY
from aionix.errors import ConversionError, NixError, StackOverflow
from aionix.evaluation import EvaluationBuilder
from aionix.values.attrs import AttrSet
from aionix.values.strings import context_of, with_context
from io_backends import Memory

FILE = frozenset({"/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-f"})
OTHER = frozenset({"/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-g"})

text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(text, inner, max_size=3).map(AttrSet)
    ),
    max_leaves=10,
)


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


def written(name: str, value: object) -> str:
    result = nix(name, value)
    assert isinstance(result, str)
    return result


@given(values)
def test_json_reads_back(value: object) -> None:
    assert nix("fromJSON", written("toJSON", value)) == value


@given(values)
def test_json_is_json(value: object) -> None:
    assert json.dumps(json.loads(written("toJSON", value)), sort_keys=True) == json.dumps(
        value, sort_keys=True
    )


@given(values)
def test_xml_is_well_formed(value: object) -> None:
    document = written("toXML", value)
    visible = "".join([char for char in document if char >= " " or char in "\n\t"])
    plain = visible.encode("ascii", "replace").replace(b"encoding='utf-8'", b"encoding='ascii'")
    assert ElementTree.fromstring(plain).tag == "expr"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AttrSet({"b": (), "a": AttrSet(), "é": 1, "Z": None}), '{"Z":null,"a":{},"b":[],"é":1}'),
        ((1.0, 1e15, 1e14, 0.1, 1e-5, -0.0), "[1.0,1e+15,100000000000000.0,0.1,1e-05,-0.0]"),
        ((float("inf"), float("nan")), "[null,null]"),
        ('"\\/\b\x1f\x7fé', '"\\"\\\\/\\b\\u001f\x7fé"'),
        (AttrSet(outPath=AttrSet(outPath=1), a=2), "1"),
    ],
)
def test_json_is_spelled_as_nix_spells_it(value: object, expected: str) -> None:
    assert written("toJSON", value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\udcff", "invalid UTF-8 byte at index 1: 0xFF"),
        ("a\udcc3b", "invalid UTF-8 byte at index 2: 0x62"),
        ("\udcf0\udc9f", "incomplete UTF-8 string; last byte: 0x9F"),
    ],
)
def test_json_needs_utf8(value: str, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        nix("toJSON", value)
    assert caught.value.message == f"JSON serialization error: [json.exception.type_error.316] {message}"


@pytest.mark.parametrize("name", ["toJSON", "toXML"])
def test_documents_have_the_contexts_of_all_strings(name: str) -> None:
    value = (with_context("a", FILE), AttrSet(b=with_context("b", OTHER)))
    assert context_of(written(name, value)) == FILE | OTHER


@pytest.mark.parametrize("name", ["toJSON", "toXML"])
def test_what_contains_itself_is_an_error(name: str) -> None:
    endless = AttrSet()
    endless["a"] = (endless,)
    with pytest.raises((StackOverflow, RecursionError)):
        nix(name, endless)


def test_a_thunk_is_not_forced_where_evaluation_is_lazy() -> None:
    with pytest.raises(ConversionError, match=r"^cannot convert a thunk to JSON$"):
        to_json(AttrSet(a=[lambda thunk: thunk, None]), strict=False)


async def evaluate(code: str) -> object:
    result = await EvaluationBuilder(Memory({"f": "x"})).build().evaluate(code)
    return result.unwrap().raw


async def fails(code: str) -> NixError:
    with pytest.raises(NixError) as caught:
        await evaluate(code)
    return caught.value


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x: x", "cannot convert a function to JSON"),
        ("{ a = [ builtins.map ]; }", "cannot convert the built-in function 'map' to JSON"),
        ("builtins.map (x: x)", "cannot convert the partially applied built-in function 'map' to JSON"),
        ("{ __toString = self: 1; }", "cannot coerce an integer to a string: 1"),
        ("/missing", "path '/missing' does not exist"),
    ],
)
async def test_functions_are_no_json(code: str, message: str) -> None:
    assert (await fails(f"builtins.toJSON ({code})")).message == message


@pytest.mark.anyio
async def test_a_json_error_says_where_in_the_value() -> None:
    error = await fails('builtins.toJSON { a = [ 1 (throw "x") ]; }')
    messages = [frame.message for frame in error.frames]
    places = ["list element at index 1", "attribute 'a'"]
    assert [message for message in messages if "while evaluating" in message] == [
        f"while evaluating {place}" for place in places
    ]
    assert messages[-1] == "while calling the 'toJSON' builtin"


@pytest.mark.anyio
async def test_paths_in_json_are_copied_to_the_store() -> None:
    document = await evaluate("builtins.toJSON [ /f ]")
    assert isinstance(document, str)
    copied = json.loads(document)[0]
    assert copied.startswith("/nix/store/") and copied.endswith("-f")
    assert context_of(document) == {copied}


XML = """<?xml version='1.0' encoding='utf-8'?>
<expr>
  <list>
    <null />
    <bool value="false" />
    <int value="-1" />
    <float value="0.333333" />
    <path value="/f" />
    <attrs>
      <attr name="&lt;&quot;&amp;">
        <string value="'&gt;&#xA;\t" />
      </attr>
    </attrs>
    <list>
    </list>
    <function>
      <attrspat ellipsis="1" name="s">
        <attr name="a" />
        <attr name="b" />
      </attrspat>
    </function>
    <function>
      <varpat name="x" />
    </function>
    <unevaluated />
    <derivation drvPath="d" outPath="o">
      <attr name="drvPath">
        <string value="d" />
      </attr>
      <attr name="outPath">
        <string value="o" />
      </attr>
      <attr name="type">
        <string value="derivation" />
      </attr>
    </derivation>
    <derivation drvPath="d">
      <repeated />
    </derivation>
  </list>
</expr>
"""


@pytest.mark.anyio
async def test_xml_has_an_element_for_every_kind_of_value() -> None:
    code = r"""builtins.toXML [
      null false (-1) (1 / 3.0) /f { "<\"&" = "'>\n\t"; } [ ] ({ b, a ? 1, ... }@s: a) (x: x) builtins.map
      { type = "derivation"; drvPath = "d"; outPath = "o"; } { type = "derivation"; drvPath = "d"; }
    ]"""
    assert await evaluate(code) == XML
