"""An ASGI app that evaluates what strangers send it: Nix code in, JSON out.

    pip install starlette 'uvicorn[standard]'
    uvicorn --app-dir examples asgi_app:app
    curl localhost:8000/evaluate -d '{"code": "{ n }: n * 2", "arguments": [{"n": 21}]}'

What is wrong with the code is answered as data, with status 422. Who goes away ends its evaluation.

Prints:
    200 {"colour":"green","double":42}
    422 {"errors":[{"code":"E001","message":"no"
"""

import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

import aionix
from io_backends import Memory, Restricted

FILES = {"public": {"theme.nix": '{ colour = "green"; }'}, "secret": "not for you"}
BUDGET = aionix.Budget(
    seconds=5, memory=100 << 20, depth=1000, io_calls=100, io_bytes=1 << 20, output=1 << 20
)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
    files = Restricted(Memory(FILES), allow=["/public"])
    evaluation = aionix.Evaluation.builder(files).pure().mode("json").build()
    async with aionix.Evaluator(evaluation, budget=BUDGET) as evaluator:
        gc.collect()
        gc.freeze()  # what is here stays: to look it through once more would make requests wait for 30 ms
        yield {"evaluator": evaluator}


@asynccontextmanager
async def while_connected(request: Request) -> AsyncIterator[None]:
    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        yield
        group.cancel_scope.cancel()


async def evaluate(request: Request) -> Response:
    try:
        match json.loads(await request.body()):
            case {"code": str(code), "arguments": list(arguments)}:
                pass
            case _:
                raise ValueError("code is to be a string, arguments a list")
    except (ValueError, RecursionError) as error:
        return JSONResponse({"error": str(error)}, 400)
    async with while_connected(request):
        evaluator = request.state.evaluator
        result = await evaluator.evaluate(code, base_dir="/public", arguments=arguments)
        if result.errors:
            return JSONResponse({"errors": [error.to_dict() for error in result.errors]}, 422)
        return Response(result.unwrap().to_python(), media_type="application/json")
    return Response(status_code=499)  # nobody reads it


app = Starlette(
    routes=[Route("/evaluate", evaluate, methods=["POST"], max_body_size=1 << 20)], lifespan=lifespan
)

if __name__ == "__main__":
    with TestClient(app) as client:
        for code in ("{ n }: import ./theme.nix // { double = n * 2; }", "{ n }: throw ''no''"):
            response = client.post("/evaluate", json={"code": code, "arguments": [{"n": 21}]})
            print(response.status_code, response.text[:40])
