"""The language, as pairs of texts in `tests/lang`: one file a case, named `<kind>-<topic>-<case>`.

    eval-okay-*.nix    .exp is what `aionix eval --strict` prints
    eval-fail-*.nix    .err is the error's code, then a regular expression for all of its message
    parse-okay-*.nix   .exp is what `aionix parse` prints
    parse-fail-*.nix   .err as above
"""

import re
from pathlib import Path

import anyio
import pytest

from aionix.cli.options import Input, Settings
from aionix.cli.parse import parsed
from aionix.errors import NixError
from aionix.evaluation import Evaluation, Tier
from aionix.values.deep import force_deep
from aionix.values.printing import show
from io_backends import LocalDisk

LANG = Path(__file__).parent / "lang"


def cases(kind: str) -> list[object]:
    return [pytest.param(path, id=path.stem) for path in sorted(LANG.glob(f"{kind}-*.nix"))]


TIERS: list[Tier] = ["interpreter", "native"]


async def evaluated(path: Path, tier: Tier) -> str:
    evaluation = Evaluation.builder(LocalDisk()).tier(tier).build()
    value = (await evaluation.evaluate_file(path)).unwrap().raw

    def printed() -> str:
        force_deep(value)
        return show(value)

    return await evaluation.run(printed)


def check_error(path: Path, error: NixError) -> None:
    code, _, pattern = path.with_suffix(".err").read_text().rstrip("\n").partition("\n")
    assert re.fullmatch(pattern, error.message, re.DOTALL), error.message
    assert error.code == code


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("path", cases("eval-okay"))
def test_a_program_has_its_value(path: Path, tier: Tier) -> None:
    assert anyio.run(evaluated, path, tier) + "\n" == path.with_suffix(".exp").read_text()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("path", cases("eval-fail"))
def test_a_wrong_program_fails_for_its_reason(path: Path, tier: Tier) -> None:
    with pytest.raises(NixError) as caught:
        anyio.run(evaluated, path, tier)
    check_error(path, caught.value)


@pytest.mark.parametrize("path", cases("parse-okay"))
def test_an_expression_is_understood(path: Path) -> None:
    assert parsed(Input("file", str(path)), Settings()) == path.with_suffix(".exp").read_text()


@pytest.mark.parametrize("path", cases("parse-fail"))
def test_a_text_that_is_not_nix_is_refused(path: Path) -> None:
    with pytest.raises(NixError) as caught:
        parsed(Input("file", str(path)), Settings())
    check_error(path, caught.value)


@pytest.mark.parametrize("path", cases("eval-okay")[::7])
def test_it_is_the_same_on_trio(path: Path) -> None:
    pytest.importorskip("trio")
    assert anyio.run(evaluated, path, "auto", backend="trio") + "\n" == path.with_suffix(".exp").read_text()


def test_every_case_has_its_expectation() -> None:
    alone = [path.name for path in LANG.glob("*.nix") if not _expectation(path).exists()]
    assert alone == []


def _expectation(path: Path) -> Path:
    return path.with_suffix(".exp" if "-okay-" in path.name else ".err")
