"""`aionix derivation`: show, diff, graph. The JSON is what `nix derivation show` 2.26.3 printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aionix.cli.commands import app
from aionix.cli.instantiate import parse_arguments
from aionix.cli.instantiate import run as instantiate
from aionix.cli.terminal import Failed

CODE = """
rec {
  d = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more);
  a = d "a" { args = [ "-c" "echo \\"hi\\" > $out\\n\\ttab" ]; outputs = [ "out" "dev" ]; };
  b = d "b" { inherit a; dev = a.dev; };
  f = d "f" {
    outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    outputHashMode = "recursive";
  };
  s = d "s" { __structuredAttrs = true; x = { y = [ 1 2 f ]; }; outputs = [ "out" "lib" ]; };
}
"""
SHOWN = r"""{
  "/nix/store/04qg8sjkfbfapbhclijsmzb03hpkv09z-s.drv": {
    "args": [],
    "builder": "/bin/sh",
    "env": {
      "__json": "{\"builder\":\"/bin/sh\",\"name\":\"s\",\"outputs\":[\"out\",\"lib\"],\"system\":\"x86_64-linux\",\"x\":{\"y\":[1,2,\"/nix/store/f66gffbbljx7hpk8xw2f4ylk355g52as-f\"]}}",
      "lib": "/nix/store/ha6h2n10aqrzxyh74f0zhnad9pvqm30a-s-lib",
      "out": "/nix/store/mmbxh4cr14mf4b8mx1kj4zzzgq8dr3s7-s"
    },
    "inputDrvs": {
      "/nix/store/kz8r4n8jyzx1j9lfjdgk3mc68g6mv9w2-f.drv": {
        "dynamicOutputs": {},
        "outputs": [
          "out"
        ]
      }
    },
    "inputSrcs": [],
    "name": "s",
    "outputs": {
      "lib": {
        "path": "/nix/store/ha6h2n10aqrzxyh74f0zhnad9pvqm30a-s-lib"
      },
      "out": {
        "path": "/nix/store/mmbxh4cr14mf4b8mx1kj4zzzgq8dr3s7-s"
      }
    },
    "system": "x86_64-linux"
  },
  "/nix/store/kz8r4n8jyzx1j9lfjdgk3mc68g6mv9w2-f.drv": {
    "args": [],
    "builder": "/bin/sh",
    "env": {
      "builder": "/bin/sh",
      "name": "f",
      "out": "/nix/store/f66gffbbljx7hpk8xw2f4ylk355g52as-f",
      "outputHash": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
      "outputHashMode": "recursive",
      "system": "x86_64-linux"
    },
    "inputDrvs": {},
    "inputSrcs": [],
    "name": "f",
    "outputs": {
      "out": {
        "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "hashAlgo": "sha256",
        "method": "nar",
        "path": "/nix/store/f66gffbbljx7hpk8xw2f4ylk355g52as-f"
      }
    },
    "system": "x86_64-linux"
  }
}
"""
A = "/nix/store/q4hl45993q7r5p8q67bx3nanl97qhmsh-a.drv"
B = "/nix/store/p5xpiyyqhdk2s893hqk1y1xzyxs4zg7z-b.drv"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "code.nix"
    path.write_text(CODE)
    return str(path)


@pytest.fixture
def drvs(tmp_path: Path, file: str) -> Path:
    instantiate(parse_arguments(["--write-drvs", str(tmp_path / "drvs"), file]))
    return tmp_path / "drvs"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["derivation", *arguments], standalone_mode=False)


def printed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exception is None, result.stderr
    return result.stdout


def test_show_prints_what_nix_prints(file: str) -> None:
    assert printed("show", file, "-A", "s", "--recursive") == SHOWN


def test_show_takes_any_number_of_subjects_and_sorts_them(file: str, drvs: Path) -> None:
    assert list(json.loads(printed("show", f"{file}#b", "-E", f"(import {file}).a.dev"))) == [B, A]
    assert list(json.loads(printed("show", file))) == sorted(json.loads(printed("show", *map(str, drvs.iterdir()))))
    assert printed("show", "-E", "{ }") == "{}\n"


def test_a_drv_file_is_shown_alone_or_with_what_it_needs(file: str, drvs: Path) -> None:
    name = str(drvs / B.rpartition("/")[2])
    assert printed("show", name) == printed("show", f"{file}#b")
    assert printed("show", "-r", name) == printed("show", "-r", file, "-A", "b")
    (drvs / A.rpartition("/")[2]).unlink()
    assert list(json.loads(printed("show", name))) == [B]
    assert isinstance(run("show", "-r", name).exception, Failed)


def test_arguments_are_given_to_functions() -> None:
    code = '{ name, system }: derivation { inherit name system; builder = "b"; }'
    shown = json.loads(printed("show", "-E", code, "--argstr", "name", "n", "--arg", "system", '"s" + "t"'))
    assert [(each["name"], each["system"]) for each in shown.values()] == [("n", "st")]


def test_without_a_subject_it_is_the_default_file(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "default.nix").write_text(f"(import {file}).a")
    monkeypatch.chdir(tmp_path)
    assert list(json.loads(printed("show"))) == [A]


def test_equal_derivations_have_the_status_0(file: str, drvs: Path) -> None:
    result = run("diff", f"{file}#a", str(drvs / A.rpartition("/")[2]))
    assert (result.return_value, result.stdout) == (0, "")


def test_derivations_that_differ_have_the_status_1_and_are_told(file: str, drvs: Path) -> None:
    result = run("diff", str(drvs / A.rpartition("/")[2]), "-E", f'(import {file}).d "a" {{ }}')
    assert result.return_value == 1
    assert result.stdout.splitlines()[0] == "a differs (output 'dev')"


@pytest.mark.parametrize("second", ["#nope", "", "#d"])
def test_what_cannot_be_compared_has_the_status_2(file: str, second: str) -> None:
    result = run("diff", f"{file}#a", f"{file}{second}")
    assert (result.return_value, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")


def test_two_are_compared_no_more_and_no_less(file: str) -> None:
    for files in ([], [file], [file, file, file]):
        assert "Give it two" in str(run("diff", *files).exception)


def test_graphs_are_printed_for_graphviz_or_as_json(file: str, drvs: Path) -> None:
    dot = printed("graph", file, "-A", "b")
    assert dot.startswith("digraph derivations {")
    assert dot == printed("graph", str(drvs / B.rpartition("/")[2]))
    graph = json.loads(printed("graph", "--json", f"{file}#b"))
    assert graph["edges"] == [{"from": B, "to": A, "outputs": ["dev", "out"]}]


def test_text_that_is_not_utf8_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "x.nix").write_bytes(b'derivation { name = "x"; system = "\xff"; builder = "b"; }')
    result = run("show", str(tmp_path / "x.nix"))
    assert isinstance(result.exception, Failed)
    assert "JSON is written in UTF-8, which this is not" in result.stderr
