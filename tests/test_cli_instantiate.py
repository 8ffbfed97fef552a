"""`aionix-instantiate` answers nix-instantiate's flags."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from aionix.cli.instantiate import CommandLine, parse_arguments, run
from aionix.cli.options import Argument, UsageError
from aionix.errors import (
    MissingArgument,
    MissingAttribute,
    NixError,
    ParseError,
    Throw,
    TypeMismatch,
)


def output(*arguments: str) -> str:
    return run(parse_arguments(arguments))


def evaluated(*arguments: str) -> str:
    return output("--eval", *arguments)


@pytest.mark.parametrize(
    ("flags", "printed"),
    [
        ([], '{ a = <CODE>; b = "x"; }\n'),
        (["--strict"], '{ a = [ 1 2 ]; b = "x"; }\n'),
        (["--json"], '{"a":[1,2],"b":"x"}\n'),
        (["-A", "b"], '"x"\n'),
        (["-A", "b", "--raw"], "x"),
        (["-A", "a.1"], "2\n"),
        (["-A", "b", "-A", "a.0"], '"x"\n1\n'),
    ],
)
def test_a_value_is_printed_as_asked(flags: list[str], printed: str) -> None:
    assert evaluated(*flags, "-E", '{ a = [ (0 + 1) (1 + 1) ]; b = "x"; }') == printed


def test_xml_has_places_unless_told_otherwise() -> None:
    assert 'line="1"' in evaluated("--xml", "--strict", "-E", "{ a = 1; }")
    assert evaluated("--xml", "--no-location", "--strict", "-E", "{ a = 1; }") == (
        "<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attrs>\n"
        '    <attr name="a">\n      <int value="1" />\n    </attr>\n  </attrs>\n</expr>\n'
    )


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["-E", "{ x ? 1 }: x"], "<LAMBDA>\n"),
        (["--arg", "x", "1 + 1", "-E", "{ x }: x"], "2\n"),
        (["--argstr", "x", "t", "-E", "{ x, y ? 2 }: [ x y ]", "--strict"], '[ "t" 2 ]\n'),
        (["--argstr", "x", "t", "--argstr", "z", "u", "-E", "{ x, ... }@all: all", "--strict"], '{ x = "t"; z = "u"; }\n'),
        (["-A", "f.r", "-E", "{ a ? 1 }: { f = { b ? a }: { r = b; }; }"], "1\n"),
        (["--arg", "n", "3", "-E", "{ __functor = self: { n }: n; }"], "3\n"),
    ],
)
def test_functions_are_called_with_the_arguments_given(arguments: list[str], printed: str) -> None:
    assert evaluated(*arguments) == printed


def test_an_argument_that_is_not_used_is_not_evaluated() -> None:
    assert evaluated("--arg", "x", "throw ''unused''", "-E", "{ x }: 1") == "1\n"


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["-A", "b.c", "-E", "{ a = 1; }"], MissingAttribute, "attribute 'b' in selection path 'b.c' not found"),
        (["-A", "a.b", "-E", "{ a = 1; }"], TypeMismatch, "the expression selected by the selection path 'a.b' should be a set but is an integer"),
        (["-A", "a.0", "-E", "{ a = 1; }"], TypeMismatch, "the expression selected by the selection path 'a.0' should be a list but is an integer"),
        (["-A", "a.7", "-E", "{ a = [ ]; }"], NixError, "list index 7 in selection path 'a.7' is out of range"),
        (["-A", '"a', "-E", "{ }"], NixError, "missing closing quote in selection path '\"a'"),
        (["-A", "a..b", "-E", "{ a = { }; }"], NixError, "empty attribute name in selection path 'a..b'"),
        (["--argstr", "y", "1", "-E", "{ x }: x"], MissingArgument, "cannot evaluate a function that has an argument without a value ('x')"),
        (["/no/such/file.nix"], NixError, "path '/no/such/file.nix' does not exist"),
        (["<nope>"], NixError, "file 'nope' was not found in the Nix search path (add it using $NIX_PATH or -I)"),
        (["--option", "abort-on-warn", "true", "-E", 'builtins.warn "w" 1'], NixError, None),
        (["--raw", "-E", "1"], NixError, "cannot coerce an integer to a string: 1"),
        (["--json", "-E", "x: x"], NixError, None),
    ],
)  # fmt: skip
def test_what_cannot_be_printed_says_why(arguments: list[str], kind: type[NixError], message: str | None) -> None:
    with pytest.raises(kind) as caught:
        evaluated(*arguments)
    assert message in (None, caught.value.message)


def test_a_misspelt_attribute_path_gets_a_hint() -> None:
    with pytest.raises(MissingAttribute) as caught:
        evaluated("-A", "prot", "-E", "{ port = 1; }")
    assert "port" in (caught.value.hint or "")


def test_files_and_directories_are_evaluated_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.nix").write_text("1 + 1")
    (tmp_path / "default.nix").write_text("import ./a.nix + 1")
    assert evaluated(str(tmp_path / "a.nix"), str(tmp_path)) == "2\n3\n"


def test_without_a_file_it_is_the_default_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "default.nix").write_text('"default"')
    monkeypatch.chdir(tmp_path)
    assert evaluated() == '"default"\n'


def test_a_dash_is_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.nix").write_text("41")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"import ./a.nix + 1")))
    assert evaluated("-") == "42\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1 + 2")))
    assert output("--parse", "-") == "(1 + 2)\n"


def test_the_search_path_is_include_flags_then_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "default.nix").write_text(f'"{name}"')
    monkeypatch.setenv("NIX_PATH", f"x={tmp_path}/two:y={tmp_path}/two")
    assert evaluated("-I", f"x={tmp_path}/one", "--strict", "-E", "[ (import <x>) (import <y>) ]") == '[ "one" "two" ]\n'
    assert evaluated("-I", f"x={tmp_path}/one", "<x>") == '"one"\n'
    with pytest.raises(NixError):
        evaluated("--pure-eval", "-E", "import <y>")


def test_the_environment_is_seen_unless_pure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIONIX_TEST", "seen")
    assert evaluated("-E", 'builtins.getEnv "AIONIX_TEST"') == '"seen"\n'
    assert evaluated("--option", "pure-eval", "true", "-E", 'builtins.getEnv "AIONIX_TEST"') == '""\n'


def test_experimental_features_are_off_until_named() -> None:
    with pytest.raises(ParseError):
        evaluated("-E", "1 |> (x: x + 1)")
    assert evaluated("--extra-experimental-features", "flakes pipe-operators", "-E", "1 |> (x: x + 1)") == "2\n"


@pytest.mark.parametrize(
    ("flag", "code"),
    [
        ("--lint-url-literals", "http://x.y/z"),
        ("--lint-absolute-path-literals", "/etc/hosts"),
        ("--lint-short-path-literals", "toString foo/bar"),
    ],
)
def test_a_lint_is_off_or_warns_or_refuses(flag: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    plain = evaluated("-E", code)
    assert capsys.readouterr().err == ""
    assert evaluated(flag, "warn", "-E", code) == plain
    assert capsys.readouterr().err.startswith("warning: ")
    with pytest.raises(NixError):
        evaluated(flag, "fatal", "-E", code)


def test_the_call_depth_can_be_set_in_two_ways() -> None:
    code = "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 500"
    assert evaluated("-E", code) == "500\n"
    for flags in (["--max-call-depth", "100"], ["--option", "max-call-depth", "100"]):
        with pytest.raises(NixError, match="stack overflow"):
            evaluated(*flags, "-E", code)


def test_parse_prints_the_expression_and_finds_unknown_names() -> None:
    assert output("--parse", "-E", "{ a.b = 1; a.c = x: x; }") == "{ a = { b = 1; c = (x: x); }; }\n"
    with pytest.raises(NixError, match="undefined variable 'y'"):
        output("--parse", "-E", "x: y")


D = 'let d = name: derivation { inherit name; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; }; in '
A, B = "/nix/store/c3vjpd08x2wgxxgkvran4kip7a97c05a-a.drv\n", "/nix/store/ms1lkpgybhd51g7sigyqhiiwpfnqxihh-b.drv\n"


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ('d "a"', A),
        ('(d "a").dev', A.replace("\n", "!dev\n")),
        ('{ b = d "b"; a = d "a"; n = 1; f = x: x; }', A + B),
        ('[ (d "b") [ { a = d "a"; } ] ]', B + A),
        ('rec { a = d "a"; b = a; c = [ a ]; }', A),
        ('{ s = { a = d "a"; }; t = { recurseForDerivations = true; b = d "b"; }; l = [ (d "a") ]; }', B),
        ('{ s = { recurseForDerivations = false; a = d "a"; }; }', ""),
        ('{ "a b" = d "a"; "1" = d "a"; "_b+1" = d "b"; }', B),
        ('{ name ? "a" }: d name', A),
        ('[ ({ name ? "a" }: d name) { f = { }: d "b"; } ]', A),
        ("{ }", ""),
    ],
)
def test_the_derivations_in_a_value_are_instantiated(code: str, printed: str) -> None:
    assert output("-E", D + code) == printed


def test_parts_and_arguments_are_instantiated_in_the_order_given() -> None:
    assert output("-E", D + '{ n }: { a = d n; b.c = d "b"; }', "-A", "b.c", "-A", "a", "--argstr", "n", "a") == B + A


FAKE = '{ type = "derivation"; name = "x"; '
STRANGE = "/nix/store/q4hl45993q7r5p8q67bx3nanl97qhmsh-a"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1", "expression does not evaluate to a derivation (or a set or list of those)"),
        ("[ [ null ] ]", "expression does not evaluate to a derivation (or a set or list of those)"),
        ('throw "x"', "x"),
        ("{ a.recurseForDerivations = 1; }", "expected a Boolean but found an integer: 1"),
        ('{ type = "derivation"; }', "derivation name missing"),
        ('{ type = "derivation"; name = 1; }', "expected a string but found an integer: 1"),
        (FAKE + "}", "derivation does not contain a 'drvPath' attribute"),
        (FAKE + "drvPath = 1; }", "cannot coerce an integer to a string: 1"),
        (FAKE + 'drvPath = "/etc"; }', "path '/etc' is not in the Nix store"),
        (FAKE + 'drvPath = ""; }', "path '' is not in the Nix store"),
        (FAKE + f'drvPath = "{STRANGE}"; }}', f"store path '{STRANGE[11:]}' is not a valid derivation path"),
        (FAKE + f'drvPath = "{STRANGE}.drv/x"; }}', f"path '{STRANGE}.drv/x' is not in the Nix store"),
        (FAKE + f'drvPath = "{STRANGE}.drv"; }}', f"derivation '{STRANGE}.drv' lacks an 'outputName' attribute"),
        (FAKE + f'drvPath = "{STRANGE}.drv"; outputName = 1; }}', "expected a string but found an integer: 1"),
        ("let x = [ x ]; in x", "stack overflow (possible infinite recursion)"),
    ],
)
def test_what_is_no_derivation_is_told_as_nix_does(code: str, message: str) -> None:
    with pytest.raises(NixError) as caught:
        output("-E", code)
    assert caught.value.message == message


def test_an_error_in_a_set_names_each_attribute_on_the_way_once() -> None:
    with pytest.raises(Throw) as caught:
        output("-E", '{ s = { recurseForDerivations = true; a = throw "x"; }; }')
    told = [frame.message for frame in caught.value.frames]
    assert [line for line in told if "attribute" in line] == [
        "while evaluating the attribute 'a'",
        "while evaluating the attribute 's'",
    ]


def test_the_files_of_what_is_instantiated_are_written(tmp_path: Path) -> None:
    code = D + '{ x = d "${d "a"}"; y = builtins.seq (d "unused").drvPath (d "b"); }'
    printed = output("--write-drvs", str(tmp_path / "new"), "-A", "y", "-E", code)
    assert printed == B
    assert [file.name for file in (tmp_path / "new").iterdir()] == [B.strip().rpartition("/")[2]]
    with pytest.raises(UsageError):
        output("--eval", "--write-drvs", str(tmp_path), "-E", "1")
    with pytest.raises(NixError, match="is not valid"):
        output("--write-drvs", str(tmp_path), "-E", FAKE + f'drvPath = "{STRANGE}.drv"; outputName = "out"; }}')


def test_clusters_settings_and_irrelevant_flags_are_understood() -> None:
    line = parse_arguments(
        "-vA a --store dummy:// --readonly-mode --timeout 5 --option sandbox false --no-show-trace f.nix -- -g.nix".split()
    )
    assert (line.job.attr_paths, line.names, line.settings.show_trace) == (["a"], ["f.nix", "-g.nix"], False)
    assert parse_arguments(["--argstr", "a", "-b"]).job.arguments == {"a": Argument("string", "-b")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bogus"], "unrecognised flag '--bogus'"),
        (["--arg", "x"], "flag '--arg' requires 2 argument(s), but only 1 were given"),
        (["--option", "pure-eval", "maybe"], "Boolean setting 'pure-eval' has invalid value 'maybe'"),
        (["--max-call-depth", "many"], "setting 'max-call-depth' has invalid value 'many'"),
        (["--max-call-depth", "9" * 5000], f"setting 'max-call-depth' has invalid value '{'9' * 5000}'"),
        (["--lint-url-literals", "no"], "setting 'lint-url-literals' is one of ignore, warn, fatal, not 'no'"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_arguments(arguments)
    assert str(caught.value) == message


def test_an_unknown_setting_is_told_and_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(parse_arguments(["--option", "no-such-thing", "1"]), CommandLine)
    assert capsys.readouterr().err == "warning: unknown setting 'no-such-thing'\n"
