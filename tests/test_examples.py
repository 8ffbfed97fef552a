"""The examples do what their docstrings say, in fewer than 90 lines each."""

import ast
import json
import runpy
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from io_backends import contract

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_promises(path: Path) -> None:
    if "trio" in path.stem:
        pytest.importorskip("trio")
    text = path.read_text()
    promised = (ast.get_docstring(ast.parse(text)) or "").partition("Prints:\n")[2]
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)
    assert (done.stdout.rstrip("\n"), done.returncode) == (textwrap.dedent(promised), 0), done.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 90


@pytest.mark.anyio
@pytest.mark.parametrize(
    "check",
    contract.checks(without=contract.FEATURES - {"listings"}),
    ids=str,
)
async def test_the_backend_of_forty_lines_keeps_the_contract(check: contract.Check) -> None:
    backend = runpy.run_path(str(ROOT / "examples/custom_backend.py"))["KeyValue"]
    await check(lambda tree: backend(dict(flat(tree, ""))))


def flat(tree: contract.Tree, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The files of `tree` by their paths."""
    for name, node in tree.items():
        if isinstance(node, Mapping):
            yield from flat(node, f"{prefix}{name}/")
        else:
            assert isinstance(node, str | bytes)
            yield prefix + name, node.encode() if isinstance(node, str) else node


def test_the_program_of_the_readme_prints_what_it_says() -> None:
    program = (ROOT / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert f"# {done.stdout}" in program


def test_the_configuration_of_the_readme_has_its_ports() -> None:
    site = ROOT / "examples/config/site.nix"
    command = [sys.executable, "-m", "aionix", "eval", "--strict", "--json", site]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["firewall"]["open"] == [80, 443, 22]
