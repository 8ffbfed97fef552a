"""A service on a socket: a line names a file, the answer is its value as a line of JSON.

The client asks, changes a file, says so, and asks again. Only what the change matters to is read again.

Prints:
    web -> {"open": [22, 80]}
    nothing -> {"error": "path '/nothing.nix' does not exist"}
    changed /lib.nix -> {"forgotten": ["/lib.nix", "/web.nix"]}
    web -> {"open": [2222, 80]}
"""

import json

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream

import aionix
from io_backends import Memory

FILES = {"lib.nix": "{ ssh = 22; }", "web.nix": "{ open = [ (import ./lib.nix).ssh 80 ]; }"}


async def answer(evaluator: aionix.Evaluator, line: str) -> object:
    command, _, path = line.partition(" ")
    if command == "changed":
        return {"forgotten": sorted(evaluator.invalidate([path]))}
    result = await evaluator.evaluate_file(f"/{command}.nix")
    return {"error": result.errors[0].message} if result.errors else result.unwrap().to_python()


async def main() -> None:
    async def converse(stream: ByteStream) -> None:
        async with stream:
            lines = BufferedByteReceiveStream(stream)
            while line := await lines.receive_until(b"\n", 1000):
                reply = json.dumps(await answer(evaluator, line.decode()))
                await stream.send(reply.encode() + b"\n")

    async with (
        aionix.Evaluator(Memory(FILES), budget=aionix.Budget(seconds=5)) as evaluator,
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, converse)
        async with await anyio.connect_tcp("127.0.0.1", listener.extra(SocketAttribute.local_port)) as stream:
            lines = BufferedByteReceiveStream(stream)
            for line in ("web", "nothing", "changed /lib.nix", "web"):
                if line.startswith("changed"):
                    FILES["lib.nix"] = "{ ssh = 2222; }"
                await stream.send(line.encode() + b"\n")
                print(line, "->", (await lines.receive_until(b"\n", 1000)).decode())
        group.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main)
