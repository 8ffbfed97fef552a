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
from dulwich import porcelain

import aionix
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


@pytest.mark.anyio
async def test_the_backends_and_services_of_the_readme_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "README.md").read_text()
    files, many, service = (block.partition("```")[0] for block in section(readme).split("```python\n")[1:])
    monkeypatch.chdir(site(tmp_path))
    names: dict[str, object] = {"aionix": aionix}
    for program in (files, many, service):
        code = compile(program, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, names)
    assert isinstance(names["value"], aionix.NixValue)
    assert names["value"].to_python() == ["web.nix", 22]
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["web.nix {'open': [22]}", "['/host.nix', '/lib.nix']", '{"double":42}']


def section(readme: str) -> str:
    return readme.partition("## Files from anywhere")[2].partition("## From a shell")[0]


def site(directory: Path) -> Path:
    """The directory `site` and the repository `lib.git` that the README speaks of."""
    with porcelain.init(directory / "lib.git", bare=False) as repository:
        (directory / "lib.git/default.nix").write_text("{ ssh = 22; }")
        porcelain.add(repository, [str(directory / "lib.git/default.nix")])
        porcelain.commit(repository, b"first", author=b"A <a@b>", committer=b"A <a@b>")
        porcelain.tag_create(repository, b"v1")
    for name, text in {
        "site.nix": "builtins.attrNames (builtins.readDir ./hosts) ++ [ (import ./lib).ssh ]",
        "hosts/web.nix": "{ open = [ (import ../lib.nix).ssh ]; }",
        "host.nix": "{ port }: [ port (import ./lib.nix).ssh ]",
        "lib.nix": "{ ssh = 22; }",
    }.items():
        (directory / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "site" / name).write_text(text)
    return directory


def test_the_configuration_of_the_readme_has_its_ports() -> None:
    site = ROOT / "examples/config/site.nix"
    command = [sys.executable, "-m", "aionix", "eval", "--strict", "--json", site]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["firewall"]["open"] == [80, 443, 22]
