"""The front door: `evaluate`, `evaluate_file`, the builder's settings, and what comes back."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

import aionix
from aionix import Budget, Evaluation, EvaluationBuilder, ParseOptions
from aionix.errors import (
    Abort,
    ConversionError,
    DuplicateAttribute,
    FileError,
    MissingArgument,
    MissingAttribute,
    NixPathResolution,
    NotCallable,
    OutputExceeded,
    ParseError,
    StackOverflow,
    StepsExceeded,
    Throw,
    UndefinedVariable,
)
from aionix.observers import CountingObserver, DisassemblingObserver, TracingObserver
from aionix.source import SourceMap
from io_backends import LocalDisk, Memory, Sealed

pytestmark = pytest.mark.anyio

READING = ["builtins.readFile ./x", "import ./x", "builtins.readDir /.", "builtins.pathExists /x", '"${./x}"']


def build(
    configure: Callable[[EvaluationBuilder], EvaluationBuilder] = lambda builder: builder,
) -> Evaluation:
    return configure(Evaluation.builder(Sealed())).build()


# -- evaluate


@pytest.mark.parametrize("code", READING)
async def test_evaluate_reads_nothing_and_says_how_it_would(code: str) -> None:
    with pytest.raises(FileError, match="this evaluation has no access to files") as caught:
        await aionix.evaluate(code)
    assert caught.value.hint == "give the evaluation files, as in evaluate(code, io=LocalDisk())"


async def test_evaluate_knows_no_environment_no_clock_and_no_search_path() -> None:
    assert (await aionix.evaluate('builtins.getEnv "PATH"')).to_python() == ""
    for name in ("currentTime", "currentSystem"):
        with pytest.raises(MissingAttribute):
            await aionix.evaluate(f"builtins.{name}")
    with pytest.raises(NixPathResolution):
        await aionix.evaluate("<nixpkgs>")


async def test_evaluate_reads_what_it_is_given() -> None:
    files = Memory({"x": "content"}, env={"NAME": "value"})
    assert (await aionix.evaluate("builtins.readFile /x", io=files)).to_python() == "content"
    assert (await aionix.evaluate('builtins.getEnv "NAME"', io=files)).to_python() == "value"


async def test_variables_are_python_data_functions_and_nix_values() -> None:
    @aionix.builtin
    def shout(text: str) -> str:
        return text.upper()

    value = await aionix.evaluate("map shout names ++ [ n ]", names=["a", "b"], n=1.5, shout=shout)
    assert value.to_python() == ["A", "B", 1.5]
    double = await aionix.evaluate("x: x * 2")
    assert (await aionix.evaluate("f 21", f=double)).to_python() == 42


async def test_a_variable_that_is_no_data_is_refused() -> None:
    with pytest.raises(ConversionError, match="'object'"):
        await aionix.evaluate("x", x=object())


async def test_variables_may_hide_builtins() -> None:
    assert (await aionix.evaluate("map", map=1)).to_python() == 1


async def test_code_is_text_or_bytes() -> None:
    assert (await aionix.evaluate(b"1 + 1")).to_python() == 2
    with pytest.raises(TypeError, match="evaluate_file"):
        await aionix.evaluate(Path("x.nix"))  # type: ignore[arg-type]  # the mistake


async def test_strict_is_the_default_and_lazy_an_option() -> None:
    code = '{ a = throw "inside"; }'
    with pytest.raises(Throw):
        await aionix.evaluate(code)
    assert (await aionix.evaluate(code, strict=False)).keys() == ["a"]


async def test_evaluate_file_reads_the_disk(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "default.nix").write_text("x: x + 1")
    (tmp_path / "main.nix").write_text("import ./lib 41")
    assert (await aionix.evaluate_file(tmp_path / "main.nix")).to_python() == 42
    assert (await aionix.evaluate_file(str(tmp_path / "lib"))).kind == "lambda"
    with pytest.raises(FileError, match=r"no\.nix' does not exist"):
        await aionix.evaluate_file(tmp_path / "no.nix")


async def test_evaluate_file_finds_relative_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.nix").write_text("1")
    monkeypatch.chdir(tmp_path)
    assert (await aionix.evaluate_file("a.nix")).to_python() == 1


# -- results


async def test_a_result_has_a_value_and_the_syntax_tree() -> None:
    result = await build().evaluate("1 + 1")
    assert (result.unwrap().to_python(), result.errors, result.warnings) == (2, [], [])
    assert result.expr is not None


async def test_a_runtime_error_comes_alone() -> None:
    result = await build().evaluate('[ 1 ] ++ throw "one"')
    assert result.value is None and result.expr is not None
    assert [error.message for error in result.errors] == ["one"]
    with pytest.raises(Throw):
        result.unwrap()


async def test_a_parse_error_leaves_no_tree() -> None:
    result = await build().evaluate("1 +")
    assert result.expr is None
    assert [type(error) for error in result.errors] == [ParseError]


BROKEN = "{ a = nope; b = neither; c = { x = 1; x = 2; }; }"


async def test_all_compile_errors_are_told() -> None:
    result = await build().evaluate(BROKEN)
    assert [type(error) for error in result.errors] == [
        DuplicateAttribute, UndefinedVariable, UndefinedVariable,
    ]  # fmt: skip
    assert all([error.to_dict()["span"] for error in result.errors])


async def test_all_compile_errors_of_a_file_are_told() -> None:
    files = Memory({"a.nix": "import ./b.nix", "b.nix": "[ nope neither ]"})
    evaluation = Evaluation.builder(files).build()
    for path in ("/b.nix", "/a.nix"):
        result = await evaluation.evaluate_file(path)
        assert [error.message for error in result.errors] == [
            "undefined variable 'nope'",
            "undefined variable 'neither'",
        ]
        assert all([error.to_dict()["span"] for error in result.errors])


async def test_warnings_are_about_the_code_and_the_files_it_reads() -> None:
    files = Memory({"a.nix": "let unused = 1; in 2", "b.nix": "let { body = 1; }"})
    evaluation = Evaluation.builder(files).build()
    result = await evaluation.evaluate("let x = 1; in import /a.nix")
    assert [warning.code for warning in result.warnings] == ["W003", "W003"]
    assert "x" in result.warnings[0].message and "unused" in result.warnings[1].message
    assert [warning.code for warning in (await evaluation.evaluate_file("/b.nix")).warnings] == ["W005"]
    assert (await evaluation.evaluate("1")).warnings == []


# -- the builder


async def test_mode_json_gives_the_text_of_to_json() -> None:
    in_json = build(lambda builder: builder.mode("json"))
    code = '{ b = [ 1.5 null ]; a = { outPath = "/x"; }; c = { __toString = _: "s"; }; }'
    value = (await in_json.evaluate(code)).unwrap()
    assert value.to_python() == (await aionix.evaluate(f"builtins.toJSON {code}")).to_python()
    errors = (await in_json.evaluate("{ f = x: x; }")).errors
    assert isinstance(errors[0], ConversionError)


async def test_a_budget_bounds_what_becomes_json() -> None:
    in_json = build(lambda builder: builder.mode("json"))
    endless = "{ __toString = _: let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 60; }"
    assert isinstance((await in_json.evaluate(endless, budget=Budget(steps=10_000))).errors[0], StepsExceeded)
    assert isinstance((await in_json.evaluate('"12345"', budget=Budget(output=8))).errors[0], OutputExceeded)


async def test_a_value_may_be_applied_to_arguments() -> None:
    strict = build(lambda builder: builder.mode("strict"))
    function = (await strict.evaluate("x: x + 1")).unwrap()
    result = await strict.evaluate("{ n, f }: more: [ (f n) ] ++ more", arguments=[{"n": 1, "f": function}, [3]])
    assert result.unwrap().to_python() == [2, 3]
    errors = (await strict.evaluate("{ n }: n", arguments=[{}])).errors
    assert isinstance(errors[0], MissingArgument)
    assert isinstance((await strict.evaluate("1", arguments=[1])).errors[0], NotCallable)
    assert isinstance((await strict.evaluate("x: x", arguments=[object()])).errors[0], ConversionError)


async def test_a_file_is_applied_to_arguments_each_time() -> None:
    evaluation = Evaluation.builder(Memory({"f.nix": "let b = 10; in n: b + n"})).build()
    results = [await evaluation.evaluate_file("/f.nix", arguments=[n]) for n in (1, 2)]
    assert [result.unwrap().to_python() for result in results] == [11, 12]


async def test_mode_strict_evaluates_all_through() -> None:
    code = '[ (throw "inside") ]'
    assert (await build().evaluate(code)).errors == []
    strict = build(lambda builder: builder.mode("strict"))
    assert [error.message for error in (await strict.evaluate(code)).errors] == ["inside"]


async def test_pure_takes_environment_clock_and_system_away() -> None:
    files = Memory({}, env={"NAME": "value"})
    names = '[ (builtins.getEnv "NAME") (builtins ? currentTime) (builtins ? currentSystem) ]'
    for pure, expected in ((False, ["value", True, True]), (True, ["", False, False])):
        evaluation = Evaluation.builder(files).pure(pure).mode("strict").build()
        assert (await evaluation.evaluate(names)).unwrap().to_python() == expected


async def test_the_search_path_is_looked_through_in_order() -> None:
    files = Memory({"one": {"a.nix": "1"}, "two": {"a.nix": "2", "b.nix": "3"}})
    evaluation = Evaluation.builder(files).search_path(["/one", "/two", "named=/two"]).mode("strict").build()
    code = "map import [ <a.nix> <b.nix> <named/a.nix> ]"
    assert (await evaluation.evaluate(code)).unwrap().to_python() == [1, 3, 2]
    missing = (await evaluation.evaluate("<c.nix>")).errors[0]
    assert isinstance(missing, NixPathResolution)


async def test_files_that_load_each_other_anew_are_bounded_as_calls_are() -> None:
    files = Memory({"a.nix": "builtins.scopedImport { } /b.nix", "b.nix": "1 + builtins.scopedImport { } /a.nix"})
    for tier in ("interpreter", "native"):
        evaluation = Evaluation.builder(files).max_call_depth(1000).tier(tier).build()
        errors = (await evaluation.evaluate("import /a.nix")).errors
        assert [type(error) for error in errors] == [StackOverflow]
    chain = {f"{n}.nix": f"1 + import /{n + 1}.nix" for n in range(2000)}
    deep = Evaluation.builder(Memory({**chain, "2000.nix": "0"})).build()
    assert (await deep.evaluate("import /0.nix")).unwrap().to_python() == 2000


async def test_the_call_depth_is_bounded() -> None:
    shallow = build(lambda builder: builder.max_call_depth(100))
    code = "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f {}"
    assert (await shallow.evaluate(code.format(50))).unwrap().to_python() == 50
    errors = (await shallow.evaluate(code.format(500))).errors
    assert [type(error) for error in errors] == [StackOverflow]
    assert (await build().evaluate(code.format(500))).unwrap().to_python() == 500
    assert (await shallow.evaluate(code.format(50))).unwrap().to_python() == 50


async def test_trace_goes_to_the_sink() -> None:
    lines: list[str] = []
    evaluation = build(lambda builder: builder.trace(lines.append))
    assert (await evaluation.evaluate('builtins.trace { a = 1; } (builtins.warn "w" 1)')).errors == []
    assert lines == ["trace: { a = 1; }", "evaluation warning: w"]


async def test_a_warning_can_be_an_error() -> None:
    strict = build(lambda builder: builder.abort_on_warn().trace(lambda line: None))
    errors = (await strict.evaluate('builtins.warn "w" 1')).errors
    assert [type(error) for error in errors] == [Abort]


async def test_the_environment_of_the_code_does_not_reach_imported_files() -> None:
    evaluation = Evaluation.builder(Memory({"a.nix": "x"})).env({"x": 1}).env({"y": 2}).build()
    assert (await evaluation.evaluate("x + y")).unwrap().to_python() == 3
    assert (await evaluation.evaluate("import /a.nix")).errors[0].message == "undefined variable 'x'"


async def test_pipe_operators_are_an_option() -> None:
    code = "[ 1 2 ] |> map (x: x + 1)"
    assert isinstance((await build().evaluate(code)).errors[0], ParseError)
    piping = build(lambda builder: builder.parse_options(ParseOptions(pipe_operators=True)).mode("strict"))
    assert (await piping.evaluate(code)).unwrap().to_python() == [2, 3]


async def test_lints_warn_or_fail() -> None:
    told: list[str] = []
    options = ParseOptions(url_literals="warn", warn=lambda message, span: told.append(message))
    warning = build(lambda builder: builder.parse_options(options))
    assert (await warning.evaluate("http://example.org")).unwrap().to_python() == "http://example.org"
    assert len(told) == 1
    fatal = build(lambda builder: builder.parse_options(ParseOptions(url_literals="fatal")))
    assert len((await fatal.evaluate("http://example.org")).errors) == 1


async def test_the_system_is_a_setting() -> None:
    evaluation = build(lambda builder: builder.current_system("riscv64-linux"))
    assert (await evaluation.evaluate("builtins.currentSystem")).unwrap().to_python() == "riscv64-linux"


async def test_a_source_map_can_be_shared() -> None:
    sources = SourceMap()
    evaluation = build(lambda builder: builder.source_map(sources))
    assert evaluation.sources is sources
    error = (await evaluation.evaluate("\n  nope")).errors[0]
    assert error.span is not None
    assert sources.where(error.span) == {
        "file": "«string»", "line": 2, "column": 3, "end_line": 2, "end_column": 7,
    }  # fmt: skip


async def test_a_location_names_the_code_and_its_directory() -> None:
    evaluation = Evaluation.builder(Memory({"dir": {"a.nix": "1"}})).build()
    result = await evaluation.evaluate("import ./a.nix + nope", "/dir/main.nix")
    assert "/dir/main.nix" in aionix.render(result.errors[0])
    assert (await evaluation.evaluate("import ./a.nix", "/dir/main.nix")).unwrap().to_python() == 1
    assert (await evaluation.evaluate("import ./a.nix", base_dir="/dir")).unwrap().to_python() == 1


async def test_a_sink_that_fails_is_told_as_such() -> None:
    nothing: list[str] = []
    evaluation = build(lambda builder: builder.trace(nothing.remove))
    errors = (await evaluation.evaluate('builtins.trace "x" 1')).errors
    assert [error.code for error in errors] == ["E048"]
    assert errors[0].message.startswith("the trace sink failed: ValueError: ")


async def test_wrong_settings_are_refused_at_once() -> None:
    builder = Evaluation.builder(Sealed())
    with pytest.raises(TypeError, match=r"@aionix.builtin"):
        builder.builtins(len)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(TypeError, match=r"list of entries"):
        builder.search_path("/nix")
    with pytest.raises(ValueError, match="lazy, strict, json"):
        builder.mode("STRICT")  # type: ignore[arg-type]  # the mistake


# -- observers


async def test_instructions_are_counted() -> None:
    observer = CountingObserver()
    await build(lambda builder: builder.runtime_observer(observer)).evaluate("let x = 1; in x + x")
    assert observer.counts["OpAdd"] == 1


async def test_instructions_are_traced() -> None:
    out = io.StringIO()
    await build(lambda builder: builder.runtime_observer(TracingObserver(out))).evaluate(
        "let a = 20; in a + 1"
    )
    line = next(line for line in out.getvalue().splitlines() if "OpAdd" in line)
    assert line.endswith("[ 1 20 20 ]")


async def test_compiled_code_is_disassembled() -> None:
    out, sources = io.StringIO(), SourceMap()
    observer = DisassemblingObserver(sources, out)
    evaluation = build(lambda builder: builder.source_map(sources).compiler_observer(observer))
    await evaluation.evaluate("x: x + 1")
    assert "OpAdd" in out.getvalue()


async def test_an_observer_changes_no_result() -> None:
    code = "builtins.foldl' (a: b: a + b) 0 (map (x: x * x) (builtins.genList (x: x) 20))"
    observed = build(lambda builder: builder.runtime_observer(CountingObserver()))
    expected = (await build().evaluate(code)).unwrap().to_python()
    assert (await observed.evaluate(code)).unwrap().to_python() == expected


async def test_the_disk_shows_its_environment_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIONIX_TEST_NAME", "value")
    for disk, expected in ((LocalDisk(), ""), (LocalDisk(env=True), "value")):
        value = await aionix.evaluate('builtins.getEnv "AIONIX_TEST_NAME"', io=disk)
        assert value.to_python() == expected


async def test_compile_only_runs_nothing() -> None:
    evaluation = Evaluation.builder_pure().build()
    result = await evaluation.compile_only("let unused = 1; in abort ''not run''")
    assert result.expr is not None
    assert result.errors == []
    assert [warning.code for warning in result.warnings] == ["W003"]
    with pytest.raises(ValueError, match="compiled only"):
        result.unwrap()


async def test_compile_only_tells_every_error() -> None:
    result = await Evaluation.builder_pure().build().compile_only("[ a b ]")
    assert [error.message for error in result.errors] == ["undefined variable 'a'", "undefined variable 'b'"]


async def test_a_pure_evaluation_reads_nothing() -> None:
    result = await Evaluation.builder_pure().build().evaluate("builtins.readFile /etc/hostname")
    assert isinstance(result.errors[0], FileError)


async def test_an_impure_evaluation_sees_disk_environment_and_nix_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here.nix").write_text("builtins.getEnv ''AIONIX_TEST''")
    monkeypatch.setenv("NIX_PATH", f"mine={tmp_path}")
    monkeypatch.setenv("AIONIX_TEST", "seen")
    result = await Evaluation.builder_impure().build().evaluate("import <mine/here.nix>")
    assert result.unwrap().to_python() == "seen"
