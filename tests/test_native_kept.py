"""Python code that was kept on disk does what the bytecode does that it was made of."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import anyio
import pytest

from aionix.bytecode import image
from aionix.bytecode.cache import CodeCache
from aionix.evaluation import Evaluation, EvaluationBuilder
from aionix.values.printing import show
from aionix.vm import engine
from io_backends import LocalDisk
from tests.fuzz.generate import program

LANG = Path(__file__).parent / "lang"


def builder(cache: Path) -> EvaluationBuilder:
    return Evaluation.builder(LocalDisk()).code_cache(cache).mode("strict").trace(lambda message: None)


def told(builder: EvaluationBuilder, file: Path) -> tuple[object, list[str], int]:
    """What evaluating `file` anew says: the value, the errors; and how much of it was interpreted from kept code."""
    evaluation = builder.build()
    interpreted = 0
    take = evaluation._engine.take_ran

    def counted() -> list[engine.Unit]:
        nonlocal interpreted
        ran = take()
        interpreted += len(ran)
        return ran

    evaluation._engine.take_ran = counted  # type: ignore[method-assign]
    result = anyio.run(evaluation.evaluate_file, file)
    for thread in threading.enumerate():
        if thread.name == "aionix code cache":
            thread.join()
    value = None if result.value is None else show(result.value.raw)
    return value, [json.dumps(error.to_dict()) for error in result.errors], interpreted


def check(file: Path, cache: Path) -> None:
    """Four runs: compiled now, from kept bytecode, from kept Python code, and that code grown hot."""
    expected = told(builder(cache), file)
    assert told(builder(cache), file)[:2] == expected[:2]
    kept = told(builder(cache), file)
    assert kept[:2] == expected[:2]


@pytest.fixture(params=[0, 3, engine.KEPT_FUEL] if os.environ.get("AIONIX_SLOW_TESTS") else [3])
def kept_fuel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kept code is compiled anew at once, soon, and late."""
    monkeypatch.setattr(engine, "KEPT_FUEL", request.param)
    yield


@pytest.mark.usefixtures("kept_fuel")
def test_the_language_is_the_same(tmp_path: Path) -> None:
    for file in sorted(LANG.glob("eval-*.nix")):
        check(file, tmp_path)


def test_errors_are_those_of_interpreted_code(tmp_path: Path) -> None:
    file = tmp_path / "file.nix"
    file.write_text(
        """
        let
          f = x: { inherit x; y = x.missing or (1 + g x.a); };
          g = n: if n == 0 then throw "end" else 1 + g (n - 1);
          h = { a, b ? a + null }: map (c: c + b) [ a ];
        in
        [ (h { a = 1; b = 2; }) (h { a = 2; }) (f { a = 5; }).y ]
        """
    )
    runs = [told(builder(tmp_path / "cache"), file) for _ in range(3)]
    assert runs[0][1] == runs[1][1] == runs[2][1] != []
    assert (runs[1][2] > 0, runs[2][2]) == (True, 0)


def test_random_programs_are_the_same(tmp_path: Path) -> None:
    for seed in range(60):
        file = tmp_path / f"{seed}.nix"
        file.write_text(str(program(Random(seed), 4)))
        check(file, tmp_path / "cache")


def test_nothing_of_what_runs_is_interpreted_in_a_third_run(tmp_path: Path) -> None:
    file = tmp_path / "file.nix"
    file.write_text(
        "with builtins; let s = rec { a = 1; b = a + 1; f = { x ? b, ... }@all: x + (all.y or 0); };"
        " in { inherit (s) a; v = map (n: s.f { y = n; }) (genList (n: n) 5); ${toString 1} = ./. + \"/x\";"
        " p = unsafeGetAttrPos \"b\" s; t = typeOf s.f; l = concatStringsSep \",\" [ \"a\" \"${s.f { } + 0.5 or \"b\"}\" ]; }"
        .replace(" + 0.5 or \"b\"", "")
        .replace("${s.f { }}", "${toString (s.f { })}")
    )
    runs = [told(builder(tmp_path / "cache"), file) for _ in range(3)]
    assert runs[0][:2] == runs[1][:2] == runs[2][:2]
    assert (runs[0][2], runs[1][2] > 5, runs[2][2]) == (0, True, 0)


def test_a_scope_that_says_otherwise_is_heard(tmp_path: Path) -> None:
    (tmp_path / "in.nix").write_text("[ (map (x: x + builtins.length [ 1 2 ]) [ 1 ]) true ]")
    plain, scoped = tmp_path / "plain.nix", tmp_path / "scoped.nix"
    plain.write_text("import ./in.nix")
    scoped.write_text("scopedImport { map = f: l: 7; true = 3; builtins.length = l: 9; } ./in.nix")
    for _ in range(3):
        assert told(builder(tmp_path / "cache"), plain)[0] == "[ [ 3 ] true ]"
        assert told(builder(tmp_path / "cache"), scoped)[0] == "[ 7 3 ]"


def test_what_other_settings_kept_is_not_taken_for_granted(tmp_path: Path) -> None:
    file = tmp_path / "file.nix"
    file.write_text("builtins.currentSystem or \"none\"")
    for _ in range(3):
        told(builder(tmp_path / "cache").current_system("a-b"), file)
    assert told(builder(tmp_path / "cache").current_system("c-d"), file)[0] == '"c-d"'
    assert told(builder(tmp_path / "cache").pure(), file)[0] == '"none"'


def test_the_interpreter_tier_interprets(tmp_path: Path) -> None:
    file = tmp_path / "file.nix"
    file.write_text("let f = x: x + 1; in f 1")
    for _ in range(3):
        told(builder(tmp_path / "cache"), file)
    assert told(builder(tmp_path / "cache").tier("interpreter"), file)[2] > 0


def test_thunks_of_the_same_shape_share_their_code(tmp_path: Path) -> None:
    """... and each has its own names, and errors at its own place."""
    file = tmp_path / "file.nix"
    names = [f"name{number}" for number in range(40)]
    sums = " ".join([f"{name} = s.{name} + {{ {name} = 1; }}.{name};" for name in names])
    file.write_text(f"s: {{ {sums} }}")
    uses = [tmp_path / f"{name}.nix" for name in names[::20]]
    for use, missing in zip(uses, names[::20], strict=True):
        given = " ".join([f"{name} = {number};" for number, name in enumerate(names) if name != missing])
        use.write_text(f"import ./file.nix {{ {given} }}")
    first = [told(builder(tmp_path / "cache"), use) for use in uses]
    assert len({errors[0] for _, errors, _ in first}) == len(uses)
    for _ in range(2):
        assert [told(builder(tmp_path / "cache"), use)[:2] for use in uses] == [each[:2] for each in first]
    images = [CodeCache(tmp_path / "cache").load(bytes.fromhex(path.stem)) for path in (tmp_path / "cache").iterdir()]
    indexes = [image._index(each) for each in images if each is not None]
    largest = max(indexes, key=lambda index: len(index.natives))
    assert len(largest.natives) > 20 > 5 > len(largest.shapes)
