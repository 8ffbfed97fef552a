"""Builtins that need a store or a network exist, and say that they are not available."""

import re
from pathlib import Path

import pytest

import aionix
from aionix.builtins.registry import REGISTRY
from aionix.errors import NotAvailable

pytestmark = pytest.mark.anyio

LANG = Path(__file__).parent / "lang"

UNAVAILABLE = {
    "derivationStrict": '{ name = "x"; system = "s"; builder = "b"; }',
    "fetchGit": '"https://example.org/x.git"',
    "fetchMercurial": '"https://example.org/x"',
    "fetchTarball": '"https://example.org/x.tar.gz"',
    "fetchurl": '{ url = "https://example.org/x"; }',
    "filterSource": "(path: type: true) /x",
    "path": "{ path = /x; }",
    "storePath": '"/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x"',
    "toFile": '"name" "text"',
}


@pytest.mark.parametrize("name", UNAVAILABLE)
async def test_it_says_that_it_is_not_available(name: str) -> None:
    with pytest.raises(NotAvailable) as caught:
        await aionix.evaluate(f"builtins.{name} {UNAVAILABLE[name]}")
    assert caught.value.code == "E045"
    assert caught.value.message == f"builtins.{name} is not available in this evaluator yet"


async def test_tryeval_does_not_hide_that_something_is_not_available() -> None:
    with pytest.raises(NotAvailable):
        await aionix.evaluate('builtins.tryEval (builtins.toFile "name" "text")')


async def test_programs_can_see_that_they_exist() -> None:
    names = sorted(UNAVAILABLE)
    value = await aionix.evaluate("map (name: builtins ? ${name}) names", names=names)
    assert value.to_python() == [True] * len(names)


async def test_every_other_builtin_has_a_pair_of_texts() -> None:
    texts = "\n".join([path.read_text() for path in LANG.glob("eval-*-builtin-*.nix")])
    used = set(re.findall(r"[\w']+", texts.replace("__", "")))
    assert sorted(set(REGISTRY) - set(UNAVAILABLE) - used) == []
