"""What would need a network or a build exists, and says that it is not available."""

import re
from pathlib import Path

import pytest

import aionix
from aionix.builtins.registry import REGISTRY
from aionix.errors import NotAvailable
from io_backends import Memory

pytestmark = pytest.mark.anyio

LANG = Path(__file__).parent / "lang"
HASH = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
URL = "https://example.org/x.tar.gz"

BUILT = 'derivation { name = "x"; system = "s"; builder = "b"; }'
NO_FETCHER = "no fetcher is configured"

UNAVAILABLE = {
    'builtins.fetchGit "https://example.org/x.git"': f"builtins.fetchGit is not available in this evaluator yet: {NO_FETCHER}",
    'fetchMercurial "https://example.org/x"': f"builtins.fetchMercurial is not available in this evaluator yet: {NO_FETCHER}",
    f'fetchTarball "{URL}"': f"cannot fetch '{URL}': {NO_FETCHER}",
    f'builtins.fetchurl {{ url = "{URL}"; }}': f"cannot fetch '{URL}': {NO_FETCHER}",
    f'import (fetchTarball {{ url = "{URL}"; sha256 = "{HASH}"; }})': f"cannot fetch '{URL}': {NO_FETCHER}",
    f'builtins.readFile (builtins.fetchurl {{ url = "{URL}"; sha256 = "{HASH}"; }})': f"cannot fetch '{URL}': {NO_FETCHER}",
    f"import ({BUILT})": "cannot build '/nix/store/5wq5jx7219pmi3xklyhl77fjbqvy6qaj-x.drv' during evaluation: this evaluator does not build",
    f'builtins.readDir "${{{BUILT}}}/share"': "cannot build '/nix/store/5wq5jx7219pmi3xklyhl77fjbqvy6qaj-x.drv' during evaluation: this evaluator does not build",
}  # fmt: skip


@pytest.mark.parametrize("code", UNAVAILABLE)
async def test_it_says_that_it_is_not_available(code: str) -> None:
    with pytest.raises(NotAvailable) as caught:
        await aionix.evaluate(code, io=Memory({}))
    assert caught.value.code == "E045"
    assert caught.value.message == UNAVAILABLE[code]
    assert caught.value.span is not None


@pytest.mark.parametrize("code", [code for code in UNAVAILABLE if "{" in code])
async def test_there_is_a_way_out(code: str) -> None:
    with pytest.raises(NotAvailable) as caught:
        await aionix.evaluate(code, io=Memory({}))
    assert caught.value.hint is not None


@pytest.mark.parametrize("who", ["fetchurl", "fetchTarball"])
async def test_a_pure_evaluation_fetches_nothing_that_has_no_hash(who: str) -> None:
    with pytest.raises(NotAvailable, match=f"^in pure evaluation mode, '{who}' requires a 'sha256' argument$"):
        await aionix.evaluate(f'builtins.{who} "{URL}"')


async def test_tryeval_does_not_hide_that_something_is_not_available() -> None:
    with pytest.raises(NotAvailable):
        await aionix.evaluate(f'builtins.tryEval (fetchTarball "{URL}")')


async def test_every_other_builtin_has_a_pair_of_texts() -> None:
    texts = "\n".join([path.read_text() for path in LANG.glob("eval-*.nix")])
    used = set(re.findall(r"[\w']+", texts.replace("__", "")))
    assert sorted(set(REGISTRY) - {"fetchGit", "fetchMercurial"} - used) == []
