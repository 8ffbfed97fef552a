"""The grammar: which text makes which tree."""

from __future__ import annotations

import dataclasses

import pytest

from aionix.errors import NixError, ParseError
from aionix.source import SourceMap, Span
from aionix.syntax import ParseOptions, nodes, parse
from aionix.syntax.nodes import Expr
from aionix.syntax.pretty import show

DEFAULT = ParseOptions()
PIPES = ParseOptions(pipe_operators=True)


def tree(text: str | bytes, options: ParseOptions = PIPES) -> Expr:
    return parse(SourceMap().add("test", text), options)


def failure(text: str | bytes, options: ParseOptions = DEFAULT) -> tuple[str, str]:
    """The message, and the text it points at."""
    sources = SourceMap()
    source = sources.add("test", text)
    with pytest.raises(NixError) as caught:
        parse(source, options)
    assert caught.value.span is not None
    return caught.value.message, sources.text_of(caught.value.span)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a + b * c", "(a + (__mul b c))"),
        ("a - b - c", "(__sub (__sub a b) c)"),
        ("a ++ b ++ c", "(a ++ (b ++ c))"),
        ("a // b // c", "(a // (b // c))"),
        ("a -> b -> c", "(a -> (b -> c))"),
        ("a || b && c == d", "(a || (b && (c == d)))"),
        ("a == b < c", "(a == (__lessThan b c))"),
        ("- a ++ b", "((__sub 0 a) ++ b)"),
        ("- a ? b", "(((__sub 0 a)) ? b)"),
        ("! a ? b", "(! ((a) ? b))"),
        ("! a + b // c", "((! (a + b)) // c)"),
        ("a * ! b + c == d", "((__mul a (! (b + c))) == d)"),
        ("a + - ! b * c // d", "((a + (__sub 0 (! (__mul b c)))) // d)"),
        ("! ! a == b", "((! (! a)) == b)"),
        ("a ? b ? c", "((((a) ? b)) ? c)"),
        ("f a.b c or d", "(f (a).b (c or) d)"),
        ("f a.b or c d", "(f (a).b or (c) d)"),
        ("a.b or c.d or e", "(a).b or ((c).d or (e))"),
        ("f (g a) b", "(f (g a) b)"),
        ("x: y: x + y", "(x: (y: (x + y)))"),
        ("{ a, b ? 1, ... }@c: a", "({ a, b ? 1, ... } @ c: a)"),
        ("c@{ }: c", "({  } @ c: c)"),
        ("{ a }: a", "({ a }: a)"),
        ("{ a, }: a", "({ a }: a)"),
        ("let a = 1; in with b; assert c; d", "(let a = 1; in (with b; assert c; d))"),
        ("if a then b else c: d", "(if a then b else (c: d))"),
        ("a |> b |> c", "(c (b a))"),
        ("a <| b <| c", "(a (b c))"),
        ("rec { or = a; }.or", "(rec { or = a; }).or"),
        ('{ ${a} = 1; "b${c}" = 2; }', '{ "${a}" = 1; "${("b" + c)}" = 2; }'),
        ('{ ${"a"} = 1; "b" = 2; inherit "c" ${"d"}; }', "{ inherit c d; a = 1; b = 2; }"),
        ("let { body = 1; }", "(rec { body = 1; }).body"),
        ("[ a (b c) (-1) ]", "[ (a) ((b c)) ((__sub 0 1)) ]"),
        ("a-b a'", "(a-b a')"),
        ("1.5e3 .5 1. 007", "(1500 0.5 1 7)"),
        ("a /* b */ c # d", "(a c)"),
        ("a/**/b", "(a b)"),
        ("9223372036854775807", "9223372036854775807"),
    ],
)
def test_text_groups_as_in_nix(text: str, shown: str) -> None:
    assert show(tree(text)) == shown


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a/b", "Path"),
        ("a /b", "Apply"),
        ("a/ b", "Binary"),
        ("a//b", "Binary"),
        ("./.", "Path"),
        ("-a/b", "Path"),
        ("1/2", "Path"),
        ("~/a", "Path"),
        ("<a/b.c>", "SearchPath"),
        ("a<b> c", "Apply"),
        ("a < b", "Binary"),
        ("x:y", "Uri"),
        ("x: y", "Lambda"),
        ("http://a.b/c?d=e", "Uri"),
        ("a_b:c", "Lambda"),
        ("a.b/c", "Path"),
        ("a.b", "Select"),
        ("a'.b", "Select"),
        ("0.5", "Float"),
        ("00.5", "Apply"),
        ("1e3", "Apply"),
        ("a" * 300 + "/b", "Apply"),
    ],
)
def test_the_longest_token_wins(text: str, kind: str) -> None:
    assert type(tree(text)).__name__ == kind


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("/a/b", "absolute", ("/a/b",)),
        ("a/b", "relative", ("a/b",)),
        ("../a", "relative", ("../a",)),
        ("~/a", "home", ("~/a",)),
        ("./a/${b}/c${d}", "relative", ("./a/", nodes.Var, "/c", nodes.Var)),
        ("/${a}", "absolute", ("/", nodes.Var)),
        ("~/${a}b/c//d", "home", ("~/", nodes.Var, "b/c//d")),
    ],
)
def test_paths_keep_their_text(text: str, kind: str, parts: tuple[object, ...]) -> None:
    path = tree(text)
    assert isinstance(path, nodes.Path)
    assert path.kind == kind
    assert tuple([part if isinstance(part, str) else type(part) for part in path.parts]) == parts


def test_spans_are_byte_offsets_whatever_the_encoding() -> None:
    sources = SourceMap()
    sources.add("before", "x")
    source = sources.add("test", '"é" + /* ü */ f  x')
    sum_ = parse(source)
    assert isinstance(sum_, nodes.Binary)
    assert isinstance(sum_.left, nodes.Str)
    assert sum_.left.parts == ("é",)
    assert sum_.span == source.span(0, 20)
    assert sum_.left.span == source.span(0, 4)
    assert sum_.op_span == source.span(5, 6)
    assert sum_.right.span == source.span(16, 20)


def test_spans_cover_parentheses_of_operands_but_nodes_do_not() -> None:
    call = tree("(f) ( x )")
    assert isinstance(call, nodes.Apply)
    assert call.span == Span(1, 10)
    assert call.argument.span == Span(7, 8)


def test_names_have_their_own_spans() -> None:
    function = tree("{ a ? 1 } @ bc : d")
    assert isinstance(function, nodes.Lambda)
    assert function.name_span == Span(13, 15)
    assert function.formals is not None
    assert function.formals.span == Span(1, 10)
    assert function.formals.entries[0].span == Span(3, 8)
    attributes = tree("{ inherit (a) b; c.d = 1; }")
    assert isinstance(attributes, nodes.AttrSet)
    assert [binding.span for binding in attributes.bindings] == [Span(3, 17), Span(18, 26)]


NO_NULL = "cannot be represented as Nix string because it contains null bytes"
ATTRIBUTE = "ID or OR_KW or DOLLAR_CURLY or '\"'"


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("", "syntax error, unexpected end of file", ""),
        ("let a = 1 in a", "syntax error, unexpected IN_KW, expecting ';'", "in"),
        ("let a = 1;", "syntax error, unexpected end of file, expecting IN_KW or INHERIT", ""),
        ("1 + let a = 1; in a", "syntax error, unexpected ID, expecting '{'", "a"),
        ("{ a = 1;; }", "syntax error, unexpected ';', expecting INHERIT", ";"),
        ("rec { a = 1;; }", "syntax error, unexpected ';', expecting INHERIT or '}'", ";"),
        ("{ a b }", "syntax error, unexpected ID, expecting '.' or '='", "b"),
        ("{ a, b", "syntax error, unexpected end of file, expecting '}' or ','", ""),
        ("{ a, ..., b }: c", "syntax error, unexpected ',', expecting '}'", ","),
        ("x@{}", "syntax error, unexpected end of file, expecting ':'", ""),
        ("a.if", f"syntax error, unexpected IF, expecting {ATTRIBUTE}", "if"),
        ("a < b < c", "syntax error, unexpected '<'", "<"),
        ("a == b != c", "syntax error, unexpected NEQ", "!="),
        ("a b)", "syntax error, unexpected ')', expecting end of file", ")"),
        ("'a'", "syntax error, unexpected invalid token", "'"),
        ("a ~ b", "syntax error, unexpected invalid token, expecting end of file", "~"),
        ('"abc', "syntax error, unexpected end of file, expecting '\"'", ""),
        ('"a${b c', "syntax error, unexpected end of file, expecting '}'", ""),
        ("/* abc", "syntax error, unexpected '/'", "/"),
        ("${a}", "syntax error, unexpected DOLLAR_CURLY", "${"),
        ("./a//b", "syntax error, unexpected PATH_END, expecting DOLLAR_CURLY", "/b"),
        ("./a/ b", "path has a trailing slash", "./a/"),
        ("./a${b}/", "path has a trailing slash", "/"),
        ("1 + 9223372036854775808", "invalid integer '9223372036854775808'", "9223372036854775808"),
        ("1.0e999", "invalid float '1.0e999'", "1.0e999"),
        ("1.0e-320", "invalid float '1.0e-320'", "1.0e-320"),
        ("{ a, b, b }: 1", "duplicate formal function argument 'b'", "b"),
        ("a@{ b, a }: 1", "duplicate formal function argument 'a'", "a"),
        ("{ inherit ${a}; }", "dynamic attributes not allowed in inherit", "${a}"),
        ("let b = 1; ${a} = 1; in b", "dynamic attributes not allowed in let", "${a}"),
        (b'"a\0b"', f"input string 'a␀b' {NO_NULL}", "a\0b"),
        (b"1 \0", "syntax error, unexpected invalid token, expecting end of file", "\0"),
    ],
)
def test_mistakes_are_reported_where_they_are(text: str | bytes, message: str, at: str) -> None:
    assert failure(text) == (message, at)


@pytest.mark.parametrize("operator", ["|>", "<|"])
def test_pipes_are_an_experimental_feature(operator: str) -> None:
    message, at = failure(f"a {operator} b")
    assert message.startswith("experimental Nix feature 'pipe-operators' is disabled")
    assert at == operator


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("let a = 1 in a", "did you forget a `;`?"),
        ("1 + let a = 1; in a", "`let ... in ...` needs parentheses here"),
        ("'a'", "strings are written in double quotes"),
        ("(a", "a `(` is not closed"),
        ("a < b < c", "comparisons cannot follow each other; parentheses say which comes first"),
        ("a b)", None),
    ],
)
def test_hints_say_what_was_probably_meant(text: str, hint: str | None) -> None:
    with pytest.raises(ParseError) as caught:
        tree(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("http://a.b", "url_literals"),
        ("/a/b", "absolute_path_literals"),
        ("/a/${b}", "absolute_path_literals"),
        ("~/a", "absolute_path_literals"),
        ("~/${b}", "absolute_path_literals"),
        ("a/b", "short_path_literals"),
    ],
)
def test_lints_warn_or_fail(text: str, option: str) -> None:
    told: list[str] = []
    quiet = ParseOptions(warn=lambda message, span: told.append(message))
    tree(text, quiet)
    assert told == []
    tree(text, dataclasses.replace(quiet, **{option: "warn"}))  # type: ignore[arg-type]  # only lints
    assert len(told) == 1
    assert option.replace("_", "-") in told[0]
    fatal = dataclasses.replace(quiet, **{option: "fatal"})  # type: ignore[arg-type]  # only lints
    assert failure(text, fatal) == (told[0], text)


@pytest.mark.parametrize("text", ['"http://a.b"', "./a/b", "../a"])
def test_lints_leave_other_literals_alone(text: str) -> None:
    strict = ParseOptions(url_literals="fatal", absolute_path_literals="fatal", short_path_literals="fatal")
    assert tree(text, strict).span == Span(1, 1 + len(text))


@pytest.mark.parametrize(
    ("text", "warnings"),
    [("[ a or b ]", 1), ("f a or", 1), ("a or b", 0), ("[ (a or) ]", 0), ("a.b or c", 0)],
)
def test_or_as_an_argument_is_warned_of(text: str, warnings: int) -> None:
    told: list[str] = []
    tree(text, ParseOptions(warn=lambda message, span: told.append(message)))
    assert len(told) == warnings


def test_checkpoints_come_every_500_tokens() -> None:
    turns: list[None] = []
    parse(SourceMap().add("test", "[ " + "1 " * 5000 + "]"), checkpoint=lambda: turns.append(None))
    assert len(turns) == 10
