"""The programs as processes: streams, exit statuses, interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

AIONIX = [sys.executable, "-m", "aionix"]
INSTANTIATE = [sys.executable, "-m", "aionix.cli.instantiate"]


def run(*command: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    given = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(command, capture_output=True, env=given | (env or {}), timeout=60, check=False)


def test_a_value_goes_to_standard_output() -> None:
    done = run(*AIONIX, "eval", "--json", "-E", "{ a = [ 1 2.5 null ]; }")
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"a":[1,2.5,null]}\n', b"")


@pytest.mark.parametrize(("program", "command"), [("aionix", "eval"), ("instantiate", "--eval")])
def test_what_is_installed_begins_there(program: str, command: str) -> None:
    begin = f"import aionix_programs; aionix_programs.{program}()"
    done = run(sys.executable, "-c", begin, command, "-E", "1 + 1")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"2\n", b"")


def test_a_short_run_loads_little() -> None:
    done = run(sys.executable, "-X", "importtime", *INSTANTIATE[1:], "--eval", "-E", "1")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert "aionix.evaluation" in loaded
    assert not loaded & {"aiofiles", "anyio._backends._asyncio", "anyio._core._tasks", "click", "lark", "trio"}


def test_a_function_with_defaults_is_called() -> None:
    assert run(*AIONIX, "eval", "-E", "{ x ? 1 }: x").stdout == b"1\n"


def test_an_error_goes_to_standard_error_and_is_status_1() -> None:
    done = run(*AIONIX, "eval", "--strict", "-E", "{ a = 1; b = throw ''no''; }")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"error: no\n" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("program", [[*AIONIX, "eval"], [*AIONIX, "bogus"], [*INSTANTIATE, "--bogus"], AIONIX])
def test_a_wrong_command_line_is_status_2(program: list[str]) -> None:
    done = run(*program)
    assert done.returncode == 2
    assert b"--help" in done.stderr


@pytest.mark.parametrize("program", [AIONIX, [*AIONIX, "eval"], INSTANTIATE])
def test_help_has_examples(program: list[str]) -> None:
    done = run(*program, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"-E '1 + 1'" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_completion(shell: str) -> None:
    done = run(*AIONIX, "completion", shell)
    assert (done.returncode, b"_AIONIX_COMPLETE" in done.stdout) == (0, True)


def test_all_mistakes_that_the_compiler_finds_are_told_the_first_one_last() -> None:
    done = run(*AIONIX, "eval", "-E", "[ first second ]")
    places = [done.stderr.index(b"undefined variable '%b'" % name) for name in (b"second", b"first")]
    assert places == sorted(places)


def test_warnings_are_told_when_asked_for() -> None:
    code = "let unused = 1; in 2"
    assert run(*AIONIX, "eval", "-E", code).stderr == b""
    done = run(*AIONIX, "eval", "--warnings", "-E", code)
    assert (done.stdout, b"W003" in done.stderr) == (b"2\n", True)


def test_parse_and_disassemble_do_not_run_the_code() -> None:
    assert run(*AIONIX, "parse", "-E", "throw ''x''").stdout == b'(throw "x")\n'
    done = run(*AIONIX, "disassemble", "-E", "1 + 2")
    assert (done.returncode, b"Add" in done.stdout) == (0, True)


def test_trace_tells_instructions() -> None:
    done = run(*AIONIX, "eval", "--trace", "-E", "1 + 2")
    assert (done.stdout, b"Add" in done.stderr) == (b"3\n", True)


def test_bytes_come_out_as_they_went_in(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "default.nix").write_text("builtins.readFile ./bytes")
    assert run(*AIONIX, "eval", "--raw", tmp_path).stdout == b"\xff\xfe"


def test_trace_messages_come_in_order_with_the_error() -> None:
    done = run(*AIONIX, "eval", "-E", 'builtins.trace "one" (builtins.trace "two" (throw "three"))')
    assert done.stderr.index(b"trace: one") < done.stderr.index(b"trace: two") < done.stderr.index(b"error: three")


@pytest.mark.parametrize(
    ("env", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_color_follows_the_environment(env: dict[str, str], colored: bool) -> None:
    assert (b"\x1b[" in run(*AIONIX, "eval", "-E", "x", env=env).stderr) is colored


def test_an_interrupt_is_status_130_without_a_traceback() -> None:
    command = [*AIONIX, "eval", "--max-call-depth", "1000000000", "-E", 'builtins.trace "on" (let f = x: f x; in f 1)']
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert b"on" in process.stderr.readline()
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, b"Traceback" in err) == (130, b"", False)


def test_a_reader_that_leaves_is_no_error() -> None:
    command = " ".join([*AIONIX, "eval", "--strict", "-E", "'builtins.genList (n: n) 100000'", "| head -c 10"])
    done = run("bash", "-c", command)
    assert (done.stdout, done.stderr) == (b"[ 0 1 2 3 ", b"")


def test_python_m_aionix_is_aionix() -> None:
    assert run(*AIONIX, "--version").stdout.startswith(b"aionix, version ")


def test_no_more_is_imported_for_what_takes_longer() -> None:
    """anyio's backend for the event loop takes 20 ms to import, which nothing but a wait for others needs."""
    program = (
        "import asyncio, sys, aionix; loop = 'builtins.foldl\\' (a: b: a + b) 0 (builtins.genList (n: n) 100000)';"
        " print(asyncio.run(aionix.evaluate(loop))); assert 'anyio._backends._asyncio' not in sys.modules"
    )
    done = run(sys.executable, "-c", program)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"4999950000\n", b"")
