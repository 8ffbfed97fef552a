"""The programs in bad company: streams that are closed or full, odd files and words, interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

AIONIX_EVAL = [sys.executable, "-m", "aionix", "eval"]
INSTANTIATE = [sys.executable, "-m", "aionix.cli.instantiate", "--eval"]
BOTH = pytest.mark.parametrize("program", [AIONIX_EVAL, INSTANTIATE], ids=["aionix", "aionix-instantiate"])

# A package that is not installed is found all the same when the directory is another one.
ENVIRONMENT = dict(os.environ, PYTHONPATH=os.pathsep.join([str(Path(__file__).parents[1]), *sys.path[1:]]))


def shell(script: str, program: list[str], directory: Path) -> tuple[int, str]:
    """The status of `script`, in which "$@" is the program, and what it told on standard error."""
    done = subprocess.run(
        ["bash", "-c", script, "bash", *program],
        cwd=directory,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    told = done.stderr.decode(errors="replace")
    for word in ("Traceback", "internal error", "Exception ignored"):
        assert word not in told
    return done.returncode, told


@BOTH
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('"$@" -E 1 >&-', "writing to standard output: Bad file descriptor"),
        ('"$@" -E 1 >/dev/full', "writing to standard output: No space left on device"),
        ('"$@" - <&-', "standard input is closed"),
        (
            'mkdir gone; cd gone; rmdir ../gone; "$@" -E 1',
            "getting the current directory: No such file or directory",
        ),
    ],
    ids=["closed stdout", "full stdout", "closed stdin", "no current directory"],
)
def test_what_is_wrong_with_the_process_is_told(
    program: list[str], script: str, reason: str, tmp_path: Path
) -> None:
    status, told = shell(script, program, tmp_path)
    assert status == 1
    assert told.startswith(f"error: {reason}\n")


@BOTH
def test_without_a_standard_error_the_status_tells(program: list[str], tmp_path: Path) -> None:
    assert shell('"$@" -E x 2>&-', program, tmp_path) == (1, "")


@BOTH
def test_a_reader_that_has_seen_enough_ends_the_program_quietly(program: list[str], tmp_path: Path) -> None:
    script = 'set -o pipefail; "$@" --strict -E "builtins.genList (n: n) 50000" | head -c 10 >/dev/null'
    assert shell(script, program, tmp_path) == (128 + signal.SIGPIPE, "")


@BOTH
@pytest.mark.parametrize("index", ["9" * 30, "9" * 6000])
def test_an_index_of_any_length_is_out_of_range(program: list[str], index: str, tmp_path: Path) -> None:
    status, told = shell(f'"$@" -E "[ 1 ]" -A {index}', program, tmp_path)
    assert (status, "is out of range" in told) == (1, True)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [_fifo, _loop, Path.mkdir], ids=["fifo", "loop", "empty directory"])
def test_what_is_no_file_is_an_error_at_once(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "odd")
    status, told = shell('"$@" odd', INSTANTIATE, tmp_path)
    assert (status, "code: E029" in told) == (1, True)


def interrupted(command: list[str], stdin: int, seconds: float = 1.0) -> int:
    """The status of a program that gets Ctrl-C after some `seconds`."""
    process = subprocess.Popen(command, env=ENVIRONMENT, stdin=stdin, stderr=subprocess.PIPE)
    try:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()  # left alone it would take all memory there is
    assert told == b"error: interrupted by the user\n"
    return process.returncode


def test_ctrl_c_ends_the_wait_for_standard_input() -> None:
    assert interrupted([*INSTANTIATE, "-"], subprocess.PIPE) == 130


@pytest.mark.parametrize(
    "code",
    [
        "let f = x: f (x + 1); in f 0",
        "builtins.foldl' (a: n: a + n) 0 (builtins.genList (n: n) 9000000)",
        "builtins.genericClosure { startSet = [ { key = 0; } ]; operator = x: [ { key = x.key + 1; } ]; }",
    ],
    ids=["calls", "foldl'", "genericClosure"],
)
def test_ctrl_c_ends_an_evaluation(code: str) -> None:
    command = [*INSTANTIATE, "--max-call-depth", "999999999", "-E", code]
    assert interrupted(command, subprocess.DEVNULL) == 130
