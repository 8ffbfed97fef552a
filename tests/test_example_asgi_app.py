"""`examples/asgi_app.py` on real servers: uvicorn on asyncio, hypercorn on trio."""

from __future__ import annotations

import json
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket

import anyio
import httpx2
import hypercorn
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

pytestmark = pytest.mark.anyio

ENDLESS = "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 60"


def example() -> Starlette:
    app = runpy.run_path(str(Path(__file__).parent.parent / "examples/asgi_app.py"))["app"]
    assert isinstance(app, Starlette)
    app.routes.append(Route("/statistics", statistics))
    return app


async def statistics(request: Request) -> JSONResponse:
    """What goes on and what is done, for these tests."""
    told = request.state.evaluator.statistics
    return JSONResponse({"running": told.running, "evaluations": told.evaluations})


def listening() -> tuple[socket, str]:
    """A socket for a server to take over, and its URL."""
    made = socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made, f"http://127.0.0.1:{made.getsockname()[1]}"


@asynccontextmanager
async def under_uvicorn() -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(example(), log_level="warning"))
    taken, url = listening()
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [taken])
        yield url
        server.should_exit = True


@asynccontextmanager
async def under_hypercorn() -> AsyncIterator[str]:
    from hypercorn.trio import serve

    taken, url = listening()
    config = hypercorn.Config()
    config.bind = [f"fd://{taken.detach()}"]
    config.errorlog = None
    ended = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: serve(example(), config, shutdown_trigger=ended.wait))
        yield url
        ended.set()


@pytest.fixture
async def client(anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    server = under_uvicorn() if anyio_backend == "asyncio" else under_hypercorn()
    async with server as url, httpx2.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def evaluate(client: httpx2.AsyncClient, code: str, *arguments: object) -> httpx2.Response:
    return await client.post("/evaluate", json={"code": code, "arguments": arguments})


async def test_json_goes_in_and_comes_out(client: httpx2.AsyncClient) -> None:
    response = await evaluate(client, "{ n }: import ./theme.nix // { double = n * 2; }", {"n": 21})
    assert response.json() == {"colour": "green", "double": 42}
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")


async def test_what_is_wrong_with_the_code_is_data(client: httpx2.AsyncClient) -> None:
    response = await evaluate(client, "{ n }:\n n + throw ''no''", {"n": 1})
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["code"], error["message"]) == ("E001", "no")
    assert (error["span"]["file"], error["span"]["line"]) == ("«string»", 2)
    response = await evaluate(client, "[ nope nada ]")
    assert [error["code"] for error in response.json()["errors"]] == ["E010", "E010"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b"[1]", 400),
        (b'{"code": "1"}', 400),
        (b'{"code": 1, "arguments": []}', 400),
        (b'{"code": "1", "arguments": {}}', 400),
        (b'{"code": "a: a", "arguments": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400),
        (b'{"code": "a: a", "arguments": ["\\ud800"]}', 422),
        (b'{"code": "a: a", "arguments": [99999999999999999999]}', 422),
        (b'{"code": "1e308 * 10", "arguments": []}', 422),
        (b'{"code": "' + b" " * (1 << 20) + b'"}', 413),
    ],
    ids=["not JSON", "not text", "a list", "no arguments", "no code", "no list", "deep", "surrogate", "large", "infinite", "long"],
)
async def test_bad_input_is_answered(client: httpx2.AsyncClient, body: bytes, status: int) -> None:
    response = await client.post("/evaluate", content=body)
    assert response.status_code == status, response.text
    assert json.loads(response.text) if status != 413 else True


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("builtins.readFile /secret", "E029"),
        ("builtins.readFile ../secret", "E029"),
        ("builtins.readFile /etc/passwd", "E029"),
        ("let f = n: 1 + f (n + 1); in f 0", "E042"),
        ("builtins.genList (n: n) 10000000", "E053"),
        ('builtins.concatStringsSep "" (builtins.genList (n: "0123456789") 200000)', "E055"),
    ],
)
async def test_untrusted_code_is_kept_in_bounds(client: httpx2.AsyncClient, code: str, error: str) -> None:
    response = await evaluate(client, code)
    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == error, response.text[:200]
    assert "not for you" not in response.text


async def test_many_short_ones_go_on_beside_a_long_one(client: httpx2.AsyncClient) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(evaluate, client, ENDLESS)
        for n in range(20):
            assert (await evaluate(client, f"{n}")).json() == n
        group.cancel_scope.cancel()


async def test_who_goes_away_ends_the_evaluation(client: httpx2.AsyncClient) -> None:
    with anyio.move_on_after(0.1):
        await evaluate(client, ENDLESS)
    with anyio.fail_after(2):  # it would go on for 5 s
        while (await client.get("/statistics")).json()["running"]:  # noqa: ASYNC110
            await anyio.sleep(0.01)
