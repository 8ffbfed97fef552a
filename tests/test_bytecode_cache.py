"""The code cache: images say what the code says, and the directory survives everybody."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path as DiskPath
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.bytecode import image
from aionix.bytecode.cache import CodeCache
from aionix.bytecode.chunk import Chunk, Lambda
from aionix.bytecode.disassemble import disassemble
from aionix.code_cache import default_directory
from aionix.compiler import CompileResult, Text
from aionix.errors import NixError
from aionix.evaluation import Evaluation, EvaluationBuilder, EvaluationResult
from aionix.source import Source, SourceMap
from aionix.syntax import ParseOptions, parse
from aionix.values.paths import Path
from io_backends import LocalDisk, Sealed
from tests.fuzz.generate import program

LANG = DiskPath(__file__).parent / "lang"
GLOBALS = frozenset(Evaluation.builder(Sealed()).build().globals)
KEY = bytes(range(32))

KILLS = 200 if os.environ.get("AIONIX_SLOW_TESTS") else 20


# Images


def text_in(source: Source) -> Text:
    return Text(source, GLOBALS, "/dir")


def compiled(source: Source) -> CompileResult:
    return text_in(source).compiled(parse(source))


def fields(code: Lambda) -> Iterator[object]:
    """All that `code` and what is in it consist of, but for constants and spans behind other offsets."""
    pending = [code]
    for each in pending:
        yield [getattr(each, field.name) for field in dataclasses.fields(Lambda) if field.name != "chunk"]
        chunk = each.chunk
        yield bytes(chunk.code), chunk.attr_spans, chunk.attr_names
        yield [chunk.span_at(offset) for offset in range(len(chunk.code))]
        yield [(type(constant), getattr(constant, "text", constant)) for constant in chunk.constants
               if not isinstance(constant, Lambda)]  # fmt: skip
        pending += [constant for constant in chunk.constants if isinstance(constant, Lambda)]


def check_image(text: str | bytes) -> None:
    sources = SourceMap()
    sources.add("/other", "something before it")
    source = sources.add("/dir/file.nix", text)
    first = compiled(source)
    assert first.code is not None
    kept = image.dump(first.code, first.warnings, first.paths, source.base)
    code, warnings, paths = image.load(kept, source.base, Path, text_in(source).later)
    assert list(fields(code)) == list(fields(first.code))
    assert disassemble(code, sources) == disassemble(first.code, sources)
    assert ([*warnings], paths) == (first.warnings, first.paths)


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_an_image_says_all_that_the_code_says(seed: int) -> None:
    text = str(program(Random(seed), 4))
    try:
        compiled(SourceMap().add("/dir/file.nix", text))
    except NixError:
        return
    if compiled(SourceMap().add("/dir/file.nix", text)).code is not None:
        check_image(text)


def test_an_image_is_right_for_every_program_of_the_language_tests() -> None:
    for path in sorted(LANG.glob("eval-*.nix")):
        data = path.read_bytes()
        try:
            known = compiled(SourceMap().add("/dir/file.nix", data)).code is not None
        except NixError:
            continue
        if known:
            check_image(data)


def test_a_source_may_begin_elsewhere_when_its_image_is_read() -> None:
    text = "{ a, b ? a }@all: let c = d: all.b + d; in { x = c 1; ${a} = 2; }"
    first, later = SourceMap(), SourceMap()
    code = compiled(first.add("/f", text)).code
    assert code is not None
    later.add("/g", "12345")
    source = later.add("/f", text)
    again, *_ = image.load(image.dump(code, [], (), 1), source.base, Path, text_in(source).later)
    there = compiled(source).code
    assert there is not None
    assert list(fields(again)) == list(fields(there))


def test_what_never_runs_is_never_read() -> None:
    source = SourceMap().add("/f", "{ a = 1 + 1; b = 2 + 2; }")
    code = compiled(source).code
    assert code is not None
    again, *_ = image.load(image.dump(code, [], (), source.base), source.base, Path, text_in(source).later)
    inner = [constant for constant in again.chunk.constants if isinstance(constant, Lambda)]
    assert (len(inner), was_read(again)) == (2, True)
    assert inner[0].chunk.code
    assert [was_read(code) for code in inner] == [True, False]


def was_read(code: Lambda) -> bool:
    try:
        Lambda.__dict__["chunk"].__get__(code, Lambda)
    except AttributeError:
        return False
    return True


def test_a_program_nested_as_deeply_as_one_likes_has_an_image() -> None:
    code = Lambda(Chunk(), "thunk", None, None, None, 0, False, image.Span(1, 2))
    for _ in range(10_000):
        outer = Chunk()
        outer.add_constant(code)
        code = Lambda(outer, "thunk", None, None, None, 0, False, image.Span(1, 2))
    again, *_ = image.load(image.dump(code, [], (), 1), 1, Path, text_in(SourceMap().add("/f", "")).later)
    depth = 0
    while again.chunk.constants:
        again = again.chunk.constants[0]
        depth += 1
    assert depth == 10_000


def test_an_image_knows_every_field_of_the_code() -> None:
    """Whoever adds one, here or in the compiler, adds it to images and raises their FORMAT."""
    assert [field.name for field in dataclasses.fields(Lambda)] == [
        "chunk", "kind", "name", "parameter", "formals", "upvalue_count", "captures_with", "span",
    ]  # fmt: skip
    assert [name for name in Chunk.__slots__ if not name.startswith("_")] == [
        "attr_names", "attr_spans", "code", "constants",
    ]  # fmt: skip


# The directory


def stored(directory: DiskPath, data: bytes = b"an image") -> CodeCache:
    cache = CodeCache(directory)
    cache.store([(KEY, data)])
    return cache


def files(directory: DiskPath) -> list[DiskPath]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_an_image_is_there_for_the_next_process(tmp_path: DiskPath) -> None:
    stored(tmp_path / "a/b")
    assert CodeCache(tmp_path / "a/b").load(KEY) == b"an image"
    assert CodeCache(tmp_path / "a/b").load(KEY[::-1]) is None
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_a_miss_and_removed(data: st.DataObject) -> None:
    directory = DiskPath(tempfile.mkdtemp(dir=os.environ["AIONIX_CODE_CACHE"]))
    cache = stored(directory, bytes(range(200)))
    (file,) = files(directory)
    good = file.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    damage = data.draw(st.sampled_from(["change", "cut", "add", "drop"]))
    if damage == "change":
        bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    elif damage == "cut":
        bad = good[:at]
    elif damage == "add":
        bad = good + data.draw(st.binary(min_size=1))
    else:
        bad = good[:at] + good[at + 1 :]
    file.write_bytes(bad)
    assert cache.load(KEY) is None
    assert files(directory) == []


def test_a_file_under_another_name_is_a_miss(tmp_path: DiskPath) -> None:
    cache = stored(tmp_path)
    (file,) = files(tmp_path)
    file.rename(tmp_path / f"{KEY[::-1].hex()}.code")
    assert cache.load(KEY[::-1]) is None


def test_what_is_no_regular_file_is_a_miss(tmp_path: DiskPath) -> None:
    cache = stored(tmp_path)
    (file,) = files(tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert cache.load(KEY) is None
    file.unlink()
    os.mkfifo(file)
    assert cache.load(KEY) is None


def test_a_directory_that_others_can_write_is_not_used(tmp_path: DiskPath) -> None:
    stored(tmp_path)
    tmp_path.chmod(0o770)
    assert CodeCache(tmp_path).load(KEY) is None
    (tmp_path / "link").symlink_to(tmp_path / "real")
    stored(tmp_path / "real")
    assert CodeCache(tmp_path / "link").load(KEY) is None
    assert CodeCache(tmp_path / "real").load(KEY) == b"an image"


def test_a_directory_that_cannot_be_made_is_no_error(tmp_path: DiskPath) -> None:
    (tmp_path / "file").touch()
    cache = stored(tmp_path / "file/directory")
    assert cache.load(KEY) is None


def test_a_directory_that_vanishes_is_no_error(tmp_path: DiskPath) -> None:
    cache = stored(tmp_path / "a")
    for file in files(tmp_path):
        file.unlink()
    (tmp_path / "a").rmdir()
    cache.store([(KEY, b"an image")])
    assert cache.load(KEY) is None


def test_the_oldest_images_go_when_there_are_too_many(tmp_path: DiskPath) -> None:
    cache = CodeCache(tmp_path, max_size=10_000)
    keys = [bytes([n]) * 32 for n in range(20)]
    for n, key in enumerate(keys):
        cache.store([(key, bytes(1000))])
        file = tmp_path / f"{key.hex()}.code"
        os.utime(file, (1000 + n, 1000 + n))
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 11_100
    assert cache.load(keys[-1]) == bytes(1000)
    assert cache.load(keys[0]) is None


def test_an_image_in_use_is_not_old(tmp_path: DiskPath) -> None:
    cache = stored(tmp_path)
    (file,) = files(tmp_path)
    os.utime(file, (0, 0))
    cache.load(KEY)
    assert file.stat().st_mtime > 0


# For every line that it reads it starts a process that writes until it is killed, and tells which.
WRITERS = """
import os, signal, sys
from aionix.bytecode.cache import CodeCache
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        signal.alarm(30)  # should the test fail before it kills us
    while not pid:
        CodeCache(sys.argv[1]).store([(bytes([n]) * 32, bytes([n]) * 500_000) for n in range(8)])
    print(pid, flush=True)
"""
READER = """
import sys
from aionix.bytecode.cache import CodeCache
while True:
    for n in range(8):
        found = CodeCache(sys.argv[1]).load(bytes([n]) * 32)
        assert found is None or found == bytes([n]) * 500_000, n
"""


def started(program: str, directory: DiskPath) -> subprocess.Popen[str]:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path[1:]))
    command = [sys.executable, "-c", program, str(directory)]
    return subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_killed_writers_do_no_harm(tmp_path: DiskPath) -> None:
    with started(READER, tmp_path) as reader, started(WRITERS, tmp_path) as writers:
        assert writers.stdin is not None and writers.stdout is not None
        left = []
        for n in range(KILLS):
            writers.stdin.write("\n")
            writers.stdin.flush()
            writer = int(writers.stdout.readline())
            time.sleep(Random(n).uniform(0, 0.03))
            os.kill(writer, signal.SIGKILL)
            left.append(len([file for file in files(tmp_path) if file.suffix != ".code"]))
        assert reader.poll() is None
        reader.terminate()
    assert 0 < max(left) <= 2  # one that was killed, and one that is just dying
    cache = stored(tmp_path)
    assert {file.suffix for file in files(tmp_path)} == {".code"}
    for n in range(8):
        assert cache.load(bytes([n]) * 32) in (None, bytes([n]) * 500_000)


# Evaluations


def builder(directory: DiskPath) -> EvaluationBuilder:
    return Evaluation.builder(LocalDisk()).code_cache(directory)


class Seen:
    """A compiler's observer: which code came from the cache?"""

    def __init__(self) -> None:
        self.kept: list[bool] = []

    def compiled(self, code: Lambda) -> None:
        self.kept.append(isinstance(code, image.StoredLambda))


def result_of(builder: EvaluationBuilder, file: DiskPath) -> tuple[EvaluationResult, list[bool]]:
    """The result of a new evaluation, and for each file whether its code was kept."""
    seen = Seen()
    evaluation = builder.mode("strict").compiler_observer(seen).build()
    result = anyio.run(evaluation.evaluate_file, file)
    for thread in threading.enumerate():
        if thread.name == "aionix code cache":
            thread.join()
    return result, seen.kept


def told(result: EvaluationResult) -> object:
    errors = [(type(e), e.message, e.span, [(f.message, f.span) for f in e.frames]) for e in result.errors]
    # Files that are loaded at the same time tell theirs in the order in which they come.
    warnings = sorted([(warning.code, warning.detail) for warning in result.warnings])
    return result.value and repr(result.value.to_python()), errors, warnings


@pytest.fixture
def program_file(tmp_path: DiskPath) -> DiskPath:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/other.nix").write_text("{ x, unused ? 1 }: x + 1")
    file = tmp_path / "code/main.nix"
    file.write_text('{ a = import ./other.nix { x = 1; }; b = __curPos.file; c = ./. + "/x"; }')
    return file


def test_a_second_evaluation_finds_the_code(tmp_path: DiskPath, program_file: DiskPath) -> None:
    cold, compiled_before = result_of(builder(tmp_path / "cache"), program_file)
    warm, compiled_now = result_of(builder(tmp_path / "cache"), program_file)
    assert (compiled_before, compiled_now) == ([False, False], [True, True])
    assert told(warm) == told(cold)
    assert [warning.code for warning in warm.warnings] == ["W003"]


def test_code_depends_on_the_text_the_place_the_globals_and_the_grammar(
    tmp_path: DiskPath, program_file: DiskPath
) -> None:
    cache = tmp_path / "cache"
    result_of(builder(cache), program_file)
    other = program_file.parent / "other.nix"
    other.write_text("{ x }: x + 2")
    assert result_of(builder(cache), program_file)[1] == [True, False]
    assert result_of(builder(cache).parse_options(ParseOptions(pipe_operators=True)), program_file)[1][0] is False
    program_file.parent.rename(tmp_path / "moved")
    moved, kept = result_of(builder(cache), tmp_path / "moved/main.nix")
    assert kept == [False, False]
    assert moved.unwrap().to_python()["b"] == str(tmp_path / "moved/main.nix")


def test_code_of_a_scoped_import_is_kept_for_the_same_names_only(tmp_path: DiskPath) -> None:
    (tmp_path / "in.nix").write_text("[ (map or 0) ]")
    main = tmp_path / "main.nix"
    main.write_text("[ (scopedImport { y = 1; } ./in.nix) (scopedImport { map = { }; } ./in.nix) ]")
    (tmp_path / "in.nix").write_text("let y = 2; in [ y (map == { }) ]")
    first, _ = result_of(builder(tmp_path / "cache"), main)
    again, kept = result_of(builder(tmp_path / "cache"), main)
    assert kept == [True, True, True]
    assert told(again) == told(first)
    main.write_text("scopedImport { z = 1; } ./in.nix")
    assert result_of(builder(tmp_path / "cache"), main)[1] == [False, False]


def test_errors_point_to_the_same_places(tmp_path: DiskPath) -> None:
    file = tmp_path / "file.nix"
    file.write_text("let f = x:\n  { inherit x; y = x.missing; }; in\n(f { a = 1; }).y")
    cold, _ = result_of(builder(tmp_path / "cache"), file)
    warm, kept = result_of(builder(tmp_path / "cache"), file)
    assert (kept, len(warm.errors)) == ([True], 1)
    assert told(warm) == told(cold)


def test_what_is_wrong_is_compiled_again(tmp_path: DiskPath) -> None:
    for text in ("a b", "{ a = 1; a = 2; }", "1 +"):
        file = tmp_path / "file.nix"
        file.write_text(text)
        cold, _ = result_of(builder(tmp_path / "cache"), file)
        warm, _ = result_of(builder(tmp_path / "cache"), file)
        assert told(warm) == told(cold)
    assert files(tmp_path / "cache") == []


def test_lints_see_every_file(tmp_path: DiskPath) -> None:
    file = tmp_path / "file.nix"
    file.write_text("[ http://a.b ]")
    heard: list[str] = []
    for _ in range(2):
        options = ParseOptions(url_literals="warn", warn=lambda message, _: heard.append(message))
        result_of(builder(tmp_path / "cache").parse_options(options), file)
    assert len(heard) == 2


def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: DiskPath, program_file: DiskPath) -> None:
    before = files(DiskPath(os.environ["AIONIX_CODE_CACHE"]))
    assert result_of(Evaluation.builder(LocalDisk()), program_file)[1] == [False, False]
    assert result_of(builder(tmp_path / "cache").code_cache(False), program_file)[1] == [False, False]
    assert files(DiskPath(os.environ["AIONIX_CODE_CACHE"])) == before
    assert not (tmp_path / "cache").exists()


def test_the_usual_directory_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_directory() == "/caches/aionix/code"
    for none in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", none)
        assert default_directory() == os.path.expanduser("~/.cache/aionix/code")


@pytest.mark.parametrize(
    ("command", "setting", "keeps"),
    [
        (["-m", "aionix.cli.instantiate", "--eval"], None, True),
        (["-m", "aionix.cli.instantiate", "--eval", "--no-code-cache"], None, False),
        (["-m", "aionix.cli.instantiate", "--eval"], "0", False),
        (["-m", "aionix", "eval"], None, True),
        (["-m", "aionix", "eval", "--no-code-cache"], None, False),
    ],
)
def test_programs_keep_code_unless_told_otherwise(
    tmp_path: DiskPath, program_file: DiskPath, command: list[str], setting: str | None, keeps: bool
) -> None:
    environment = dict(os.environ, AIONIX_CODE_CACHE=setting or str(tmp_path / "cache"))
    done = subprocess.run([sys.executable, *command, program_file, "-A", "a"], env=environment, capture_output=True)
    assert (done.stdout, done.stderr) == (b"2\n", b"")
    assert len(files(tmp_path / "cache")) == (2 if keeps else 0)


def test_the_language_is_the_same_from_the_cache(tmp_path: DiskPath) -> None:
    for path in sorted(LANG.glob("eval-*.nix"))[::5]:
        cold, _ = result_of(builder(tmp_path), path)
        warm, kept = result_of(builder(tmp_path), path)
        assert told_briefly(warm) == told_briefly(cold), path.name
        assert kept or warm.errors, path.name


def told_briefly(result: EvaluationResult) -> object:
    errors = [(type(error), error.message, error.span) for error in result.errors]
    return result.value and str(result.value), errors, result.warnings
