"""`fromJSON` and `fromTOML`."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aionix.builtins.decode  # noqa: F401  # importing registers
from aionix.builtins.json_text import _Parser
from aionix.builtins.json_usual import UNUSUAL, read_usual
from aionix.builtins.registry import REGISTRY
from aionix.errors import ContextError, ConversionError, NixError, StackOverflow, TypeMismatch
from aionix.values.attrs import AttrSet
from aionix.values.strings import from_bytes, with_context

SOURCE = frozenset({"/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-f"})

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6)
)
names = st.text('aé"\\\n', max_size=3)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


def as_nix(value: object) -> object:
    if isinstance(value, list):
        return tuple([as_nix(item) for item in value])
    if isinstance(value, dict):
        return AttrSet({name: as_nix(item) for name, item in value.items()})
    return value


def same(left: object, right: object) -> bool:
    """Equal, and of the same types throughout: True is not 1, nor 1.0."""
    return repr(left) == repr(right)


@given(documents, st.booleans(), st.sampled_from([None, 0, 2]))
def test_json_of_any_spelling_is_read(document: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    assert same(nix("fromJSON", text), as_nix(document))


@st.composite
def nearly_json(draw: st.DrawFn) -> str:
    """A document with a piece of it replaced, most often by something that is special to JSON."""
    text = json.dumps(draw(documents), ensure_ascii=True, indent=draw(st.sampled_from([None, 1])))
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    odd = [
        "",
        "NaN",
        "-Infinity",
        "-0",
        "1e400",
        "1E+5",
        "01",
        "9" * 19,
        "9" * 5000,
        "\\u0000",
        "\\",
        '"',
        "[",
        "}",
        "\0",
    ]
    return text[:start] + draw(st.sampled_from(odd) | st.just(text[start:end])) + text[end:]


@given(nearly_json())
def test_the_usual_way_reads_what_the_other_one_reads(text: str) -> None:
    usual = read_usual(text)
    if usual is not UNUSUAL:
        assert repr(usual) == repr(_Parser(text).document())


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '"[" [' * 100_000, "[" * 101 + "]" * 101])
def test_deep_json_takes_no_c_stack(text: str) -> None:
    assert read_usual(text) is UNUSUAL


def test_wide_json_is_usual() -> None:
    text = json.dumps([{"[": ["{"]}] * 1000)
    assert read_usual(text) == (AttrSet({"[": ("{",)}),) * 1000


@given(st.text('[]{}:,"\\u0e-.1 \ntrfalsn\ud83dé', max_size=12))
def test_json_is_read_or_refused_as_python_does(text: str) -> None:
    text = from_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        value = nix("fromJSON", text)
    except NixError:
        return
    assert same(value, as_nix(json.loads(text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551616", 2.0**64),
        ("-9223372036854775809", -(2.0**63)),
        ("-0", 0),
        ("-0.0", -0.0),
        ("1" * 6000 + "e-5900", float("1" * 6000 + "e-5900")),
        ('{"a":1,"a":2}', AttrSet(a=2)),
        ("\ufeff [ ] ", ()),
        ('"\\ud83d\\ude00\\/"', "😀/"),
    ],
)
def test_json_at_the_edges(text: str, value: object) -> None:
    assert same(nix("fromJSON", text), value)


AT = "[json.exception.parse_error.101] parse error at line {}, column {}: "
IN = AT + "syntax error while parsing {} - {}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", AT.format(1, 1) + "attempting to parse an empty input; check that your input string or stream"
         " contains the expected JSON"),
        (" ", IN.format(1, 2, "value", "unexpected end of input; expected '[', '{', or a literal")),
        ("[1 2]", IN.format(1, 4, "array", "unexpected number literal; expected ']'")),
        ("[1 2\n]", IN.format(1, 0, "array", "unexpected number literal; expected ']'")),
        ("{1:2}", IN.format(1, 2, "object key", "unexpected number literal; expected string literal")),
        ('{"a",', IN.format(1, 5, "object separator", "unexpected ','; expected ':'")),
        ('{"a":1]', IN.format(1, 7, "object", "unexpected ']'; expected '}'")),
        ("[]x", IN.format(1, 3, "value", "invalid literal; last read: '[]x'; expected end of input")),
        ("[1,\n trux", IN.format(2, 5, "value", "invalid literal; last read: '1,<U+000A> trux'")),
        ("-", IN.format(1, 2, "value", "invalid number; expected digit after '-'; last read: '-'")),
        ("1.x", IN.format(1, 3, "value", "invalid number; expected digit after '.'; last read: '1.x'")),
        ("1e", IN.format(1, 3, "value", "invalid number; expected '+', '-', or digit after exponent;"
                         " last read: '1e'")),
        ("1e+", IN.format(1, 4, "value", "invalid number; expected digit after exponent sign; last read: '1e+'")),
        ('"a', IN.format(1, 3, "value", "invalid string: missing closing quote; last read: '\"a'")),
        ('"\t', IN.format(1, 2, "value", "invalid string: control character U+0009 (HT) must be escaped to"
                          " \\u0009 or \\t; last read: '\"<U+0009>'")),
        ('"\\x', IN.format(1, 3, "value", "invalid string: forbidden character after backslash;"
                           " last read: '\"\\x'")),
        ('"\\u1"', IN.format(1, 5, "value", "invalid string: '\\u' must be followed by 4 hex digits;"
                             " last read: '\"\\u1\"'")),
        ('"\\ude00"', IN.format(1, 7, "value", "invalid string: surrogate U+DC00..U+DFFF must follow"
                                " U+D800..U+DBFF; last read: '\"\\ude00'")),
        ('"\\ud83d"', IN.format(1, 8, "value", "invalid string: surrogate U+D800..U+DBFF must be followed by"
                                " U+DC00..U+DFFF; last read: '\"\\ud83d\"'")),
        ('"\udcff"', IN.format(1, 2, "value", "invalid string: ill-formed UTF-8 byte; last read: '\"\udcff'")),
        ("\udcef1", IN.format(1, 2, "value", "invalid BOM; must be 0xEF 0xBB 0xBF if given;"
                              " last read: '\udcef1'")),
        ("1e400", "[json.exception.out_of_range.406] number overflow parsing '1e400'"),
        ("9223372036854775808", "unsigned json number 9223372036854775808 outside of Nix integer range"),
        ('"\\u0000"', "input string '␀' cannot be represented as Nix string because it contains null bytes"),
    ],
)  # fmt: skip
def test_json_errors_say_what_nlohmanns_library_says(text: str, message: str) -> None:
    with pytest.raises(NixError) as caught:
        nix("fromJSON", text)
    assert caught.value.message == message


def test_json_may_be_deep_but_not_endless() -> None:
    value = nix("fromJSON", "[" * 100_000 + "]" * 100_000)
    depth = 0
    while isinstance(value, tuple) and value:
        value, depth = value[0], depth + 1
    assert depth == 99_999
    with pytest.raises(StackOverflow):
        nix("fromJSON", "[" * 1_000_000)


@pytest.mark.parametrize("name", ["fromJSON", "fromTOML"])
def test_documents_are_strings_without_context(name: str) -> None:
    with pytest.raises(TypeMismatch):
        nix(name, 1)
    with pytest.raises(ContextError):
        nix(name, with_context("", SOURCE))


def toml_text(value: object) -> str:
    """A TOML value; JSON's strings and numbers are TOML's."""
    if isinstance(value, list):
        return "[" + ", ".join([toml_text(item) for item in value]) + "]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join([f"{json.dumps(name)} = {toml_text(item)}" for name, item in value.items()]) + "}"
        )
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


@given(st.dictionaries(names, documents.filter(lambda it: "None" not in repr(it)), max_size=3))
def test_toml_values_are_read(document: dict[str, object]) -> None:
    text = "\n".join([f"{json.dumps(name)} = {toml_text(value)} # c" for name, value in document.items()])
    assert same(nix("fromTOML", text), as_nix(document))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("[a.b]\nc.d = 1\n[a]\ne = 2", {"a": {"b": {"c": {"d": 1}}, "e": 2}}),
        ("[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]", {"a": [{"b": 1, "c": {"d": 2}}, {}]}),
        ("b.c = 1\n[b.d]\ne = 2", {"b": {"c": 1, "d": {"e": 2}}}),
        ("a = 0xFF_ff\nb = 0o17\nc = 0b11\nd = 1_000", {"a": 65535, "b": 15, "c": 3, "d": 1000}),
        ("a = '''\nx\n''''\nb = \"\"\"\\\n  y\"\"\"\"", {"a": "x\n'", "b": 'y"'}),
        ("a = '\\n'\r\nb = \"\\U0001F600\\t\"", {"a": "\\n", "b": "😀\t"}),
        ("a = +inf\nb = -inf\nc = 1e3", {"a": math.inf, "b": -math.inf, "c": 1000.0}),
        ("a = [ 1, # one\n 2,\n]", {"a": [1, 2]}),
        ("a = 1 [b]", {"a": 1, "b": {}}),
    ],
)
def test_toml_documents_are_read(text: str, value: object) -> None:
    assert same(dict(nix("fromTOML", text)), dict(as_nix(value)))  # type: ignore[call-overload]  # both are sets


ERROR = "while parsing TOML: [error] "
INSERT = ERROR + "toml::insert_value: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1979-05-27", "while parsing TOML: Dates and times are not supported"),
        ("a = [07:32:00]", "while parsing TOML: Dates and times are not supported"),
        ("a = 2021-13-01", ERROR + "toml::parse_local_date: invalid date."),
        ("a = ", ERROR + "bad format: unknown value appeared"),
        ("a = 1 b", ERROR + "toml::parse_table: newline (LF / CRLF) or EOF is expected"),
        ("a", ERROR + "toml::parse_key_value_pair: invalid key value separator `=`"),
        ("[a", ERROR + "toml::parse_file: invalid table key"),
        ("[[a]", ERROR + "toml::parse_file: invalid array-table key"),
        ("a = [1", ERROR + "toml::parse_array: missing closing bracket `]`"),
        ("a = {b = 1", ERROR + "toml::parse_inline_table: expected value-separator `,` or closing `}`"),
        ("a = 'x", ERROR + "toml::parse_literal_string: invalid string format"),
        ('a = """x', ERROR + "toml::parse_ml_basic_string: invalid string format"),
        ('a = "\\ud800"', ERROR + "toml::parse_utf8_codepoint: [0xD800, 0xDFFF] is not a valid UTF-8"),
        ("a = 05", ERROR + "bad integer: invalid digit after an integer"),
        ("a = 1.", ERROR + "bad float: invalid format"),
        (
            "a = 9223372036854775808",
            ERROR + "toml::parse_dec_integer: too large integer: current max digits = 2^63",
        ),
        (
            "a = " + "9" * 6000,
            ERROR + "toml::parse_dec_integer: too large integer: current max digits = 2^63",
        ),
        ("a = 1e400", ERROR + "toml::parse_floating: failed to read floating point value from stream"),
        ("a = 1\na = 2", INSERT + "failed to insert a value, value already exists"),
        ("[a]\n[a]\nb", INSERT + "failed to insert a table, table already defined"),
        ("a = []\n[[a]]", INSERT + "failed to insert an array of tables, value already exists"),
        ("a = {}\na.b = 1", INSERT + "failed to insert a value: inline table is immutable"),
        ("[a.b]\n[a]\nb.c = 1", INSERT + "reopening a table using dotted keys"),
    ],
)
def test_toml_errors_say_what_toml11_says(text: str, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        nix("fromTOML", text)
    assert caught.value.message == message


@given(st.text("a.=[]{},\"'\\#\n 01_e-:T", max_size=14))
def test_any_text_is_toml_or_is_refused(text: str) -> None:
    try:
        assert isinstance(nix("fromTOML", text), AttrSet)
    except NixError as error:
        assert error.message.startswith("while parsing TOML: ")
