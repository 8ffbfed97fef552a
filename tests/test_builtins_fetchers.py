"""`fetchurl` and `fetchTarball`, as far as arithmetic goes; what needs a network is in test_evaluation_unavailable."""

from __future__ import annotations

import pytest

from aionix.errors import ContextError, InvalidArgument, InvalidHash, MissingAttribute, NixError, TypeMismatch
from aionix.evaluation import Evaluation
from io_backends import Memory

pytestmark = pytest.mark.anyio

URL = "https://example.org/x-1.0.tar.gz"
SRI = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # nothing waits here


async def error(code: str) -> NixError:
    [found] = (await Evaluation.builder(Memory({"f": ""})).build().evaluate(code, base_dir="/")).errors
    return found


async def value(code: str) -> object:
    evaluation = Evaluation.builder(Memory({"x-1.0.tar.gz": ""})).mode("strict").build()
    return (await evaluation.evaluate(code, base_dir="/")).unwrap().to_python()


async def test_a_file_that_was_fetched_is_the_same_file_that_was_copied() -> None:
    fetched = f'builtins.fetchurl {{ url = "{URL}"; sha256 = "{SRI}"; }}'
    assert await value(f"{fetched} == builtins.path {{ path = /x-1.0.tar.gz; recursive = false; }}")


async def test_a_hash_may_be_spelled_in_any_way() -> None:
    spelled = f'map (toHashFormat: builtins.convertHash {{ hash = "{SRI}"; inherit toHashFormat; }}) [ "base16" "nix32" "base64" "sri" ]'
    paths = await value(f'map (sha256: fetchTarball {{ url = "{URL}"; inherit sha256; }}) ({spelled})')
    assert paths == ["/nix/store/f6jkrn77ysv9dhs8hh6s2faflhjc930i-source"] * 4


async def test_an_empty_hash_is_a_path_too() -> None:
    told: list[str] = []
    evaluation = Evaluation.builder(Memory({})).trace(told.append).build()
    result = await evaluation.evaluate(f'builtins.fetchurl {{ url = "{URL}"; sha256 = ""; }}')
    assert str(result.unwrap().to_python()).startswith("/nix/store/")
    assert told == [
        "warning: found empty hash, assuming 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"
    ]


async def test_the_store_knows_where_it_would_come_from() -> None:
    evaluation = Evaluation.builder(Memory({})).build()
    result = await evaluation.evaluate(f'fetchTarball {{ url = "{URL}"; sha256 = "{SRI}"; }}')
    assert evaluation.store.fetched == {result.unwrap().to_python(): URL}


async def test_what_is_there_already_is_read() -> None:
    base = "f6jkrn77ysv9dhs8hh6s2faflhjc930i-source"
    io = Memory({"nix": {"store": {base: {"default.nix": "6 * 7"}}}})
    result = (
        await Evaluation.builder(io)
        .build()
        .evaluate(f'import (fetchTarball {{ url = "{URL}"; sha256 = "{SRI}"; }})')
    )
    assert result.unwrap().to_python() == 42


@pytest.mark.parametrize(
    ("argument", "kind", "message"),
    [
        ("1", TypeMismatch, "expected a string but found an integer: 1"),
        ("{ }", MissingAttribute, "'url' argument required"),
        ("{ url = 1; }", TypeMismatch, "expected a string but found an integer: 1"),
        (f'{{ url = "{URL}"; rev = 1; }}', InvalidArgument, "unsupported argument 'rev' to '{who}'"),
        (f'{{ url = "{URL}"; sha256 = "x"; }}', InvalidHash, "hash 'x' has wrong length for hash algorithm 'sha256'"),
        (f'{{ url = "{URL}"; sha256 = null; }}', TypeMismatch, "expected a string but found null: null"),
        ('{ url = "x"; name = "a b"; }', InvalidArgument, "invalid store path name when fetching URL 'x': name 'a b' contains illegal "
            "character ' '. Please change the value for the 'name' attribute passed to '{who}', so that it can create a valid store path."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("who", ["fetchurl", "fetchTarball"])
async def test_wrong_arguments_are_refused(
    who: str, argument: str, kind: type[NixError], message: str
) -> None:
    found = await error(f"builtins.{who} ({argument})")
    assert isinstance(found, kind)
    assert found.message == message.format(who=who)
    assert found.span is not None
    assert f"while calling the '{who}' builtin" in [frame.message for frame in found.frames]


async def test_a_url_may_not_depend_on_the_store() -> None:
    assert isinstance(await error('builtins.fetchurl "file://${/f}"'), ContextError)
