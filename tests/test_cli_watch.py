"""`aionix eval --watch`: a real process, real files, changes as editors make them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aionix.cli.watch import _changed_since, _concerned, _places
from aionix.vm.dependencies import Access

Change = Callable[[Path], object]


class Watching:
    """A program that watches; its lines as they come."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aionix", "eval", "--watch", "--strict", *arguments],
            cwd=directory,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(Path(__file__).parents[1]), *sys.path[1:]])),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))

    def line(self, beginning: str) -> str:
        """The next line that begins so; others before it are passed over."""
        while True:
            line = self._lines.get(timeout=20)
            if line.startswith(beginning):
                return line

    def interrupted(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "site.nix").write_text("{ t = builtins.readFile ./t; d = builtins.attrNames (builtins.readDir ./d); }")
    (tmp_path / "t").write_text("first")
    return tmp_path


@pytest.fixture
def watching(tree: Path) -> Iterator[Callable[..., Watching]]:
    begun: list[Watching] = []

    def begin(*arguments: str) -> Watching:
        begun.append(Watching(tree, *arguments))
        return begun[-1]

    yield begin
    for each in begun:
        each.process.kill()
        each.process.wait()
        each.reader.join()


def replace(path: Path, text: str) -> None:
    """As most editors save."""
    other = path.with_name(path.name + "~")
    other.write_text(text)
    other.rename(path)


def test_each_change_is_followed_by_the_new_value(watching: Callable[..., Watching], tree: Path) -> None:
    program = watching("site.nix")
    assert program.line("{") == '{ d = [ ]; t = "first"; }'
    (tree / "t").write_text("second")
    assert str(tree / "t") in program.line("--- changed:")
    assert program.line("{") == '{ d = [ ]; t = "second"; }'
    replace(tree / "t", "third")
    assert program.line("{") == '{ d = [ ]; t = "third"; }'
    (tree / "d" / "new").write_text("")
    assert program.line("{") == '{ d = [ "new" ]; t = "third"; }'
    replace(tree / "site.nix", "{ wrong = ; }")
    assert "syntax error" in program.line("error:")
    replace(tree / "site.nix", "{ right = 1; }")
    assert program.line("{") == "{ right = 1; }"
    assert program.interrupted() == 130


def test_what_is_missing_is_waited_for(watching: Callable[..., Watching], tree: Path) -> None:
    program = watching("later/on/site.nix")
    program.line("error:")
    (tree / "later").mkdir()
    (tree / "later" / "on").mkdir()
    (tree / "later" / "on" / "site.nix").write_text("import ./other.nix")
    program.line("            1| import ./other.nix")
    replace(tree / "later" / "on" / "other.nix", "[ 42 ]")
    assert program.line("[") == "[ 42 ]"


def test_links_are_followed(watching: Callable[..., Watching], tree: Path) -> None:
    (tree / "one").write_text("1")
    (tree / "two").write_text("2")
    (tree / "link").symlink_to("one")
    program = watching("-E", "builtins.readFile ./link")
    assert program.line('"') == '"1"'
    replace(tree / "one", "one")
    assert program.line('"') == '"one"'
    (tree / "other").symlink_to("two")
    (tree / "other").rename(tree / "link")
    assert program.line('"') == '"2"'


def test_standard_input_cannot_be_watched(watching: Callable[..., Watching]) -> None:
    assert watching("-").process.wait(timeout=20) == 2


# -- which changes matter


def kinds() -> tuple[object, object, object]:
    from watchfiles import Change

    return Change.added, Change.modified, Change.deleted


@pytest.mark.parametrize(
    ("access", "kind", "changed", "matters"),
    [
        (Access.READ, 1, "f", True),
        (Access.READ, 1, "g", False),
        (Access.READ, 2, "", True),
        (Access.READ, 0, "f/x", False),
        (Access.LISTED, 0, "f/x", True),
        (Access.LISTED, 2, "f/x", True),
        (Access.LISTED, 1, "f/x", False),
        (Access.LISTED, 0, "f/x/y", False),
        (Access.PROBED | Access.MISSING, 0, "f", True),
    ],
)
def test_only_what_matters_counts(
    access: Access, kind: int, changed: str, matters: bool, tmp_path: Path
) -> None:
    path = str(tmp_path / "f")
    events = [(kinds()[kind], str(tmp_path / changed) if changed else str(tmp_path))]
    found = _concerned({path: access}, _places({path: access}), events)  # type: ignore[arg-type]
    assert found == ({path} if matters else set())


def test_what_changed_before_anybody_watched_is_seen(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("nothing")
    there, gone, old = tmp_path / "there", tmp_path / "gone", tmp_path / "old"
    old.write_text("")
    since = old.stat().st_ctime_ns + 50_000_000
    paths = {str(old): Access.READ, str(gone): Access.READ, str(there): Access.READ | Access.MISSING}
    broken = {str(tmp_path / "broken"): Access.READ | Access.MISSING}
    assert not _changed_since(broken, _places(broken), since)
    places = _places(paths)
    assert _changed_since(paths, places, since) == {str(gone)}
    there.write_text("")
    assert _changed_since(paths, places, since) == {str(gone), str(there)}
    assert _changed_since(paths, places, 0) == {str(gone), str(there), str(old)}
