"""Puts `examples/asgi_app.py` under load: many short evaluations, and long ones beside them.

    pip install starlette 'uvicorn[standard]'
    python -m benchmarks.load --workers 2

The app has a process of its own, or several (workers of uvicorn). `wrk`, which has to be installed, sends a
program of about a millisecond over all connections, in rounds; meanwhile one client evaluates `fib 30` again
and again. Each round prints requests per second, answers that were not 200, latencies, the processors' time
per request (the long evaluations' share included), how many long ones ended, and the memory of the servers.

All connections always have a request under way, so a request waits for all the others: what 64 of them take
of one processor is the least that the latency can be.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

SHORT = """{ n }:
let hosts = builtins.genList (i: { name = "host-${toString i}"; port = 8000 + i * n; }) 20;
in {
  open = map (host: host.port) hosts;
  names = builtins.concatStringsSep " " (map (host: host.name) hosts);
}"""
LONG = "{ n }: let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib n"
#: The long evaluation has a small share of its process.
SECONDS_FOR_LONG = 600
EXAMPLE = Path(__file__).parents[1] / "examples/asgi_app.py"

_SCRIPT = """
wrk.method = "POST"
wrk.body = [==[%s]==]
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nRESULT %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
"""


def app() -> object:
    """The app of the example; the long evaluation may take long."""
    made = runpy.run_path(str(EXAMPLE))["app"]
    # The functions of the example look for the budget among their own globals.
    names = made.router.lifespan_context.__wrapped__.__globals__
    names["BUDGET"] = replace(names["BUDGET"], seconds=SECONDS_FOR_LONG)
    return made


def body(code: str, n: int) -> str:
    return json.dumps({"code": code, "arguments": [{"n": n}]})


def post(url: str, text: str) -> bytes:
    with urllib.request.urlopen(url, text.encode(), timeout=SECONDS_FOR_LONG) as answer:
        return bytes(answer.read())


class Processes:
    """A process, and those that it began."""

    def __init__(self, pid: int) -> None:
        begun = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.directories = [Path("/proc") / str(each) for each in (pid, *begun)]

    def megabytes(self) -> float:
        """The resident sets."""
        pages = sum(int((each / "statm").read_text().split()[1]) for each in self.directories)
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu_seconds(self) -> float:
        """What they took of the processors."""
        stats = [(each / "stat").read_text().rpartition(")")[2].split() for each in self.directories]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(workers: int) -> Iterator[tuple[Processes, str]]:
    """The processes that serve, and the URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--factory", "--log-level=warning", f"--port={port}", f"--workers={workers}"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", "benchmarks.load:app", *options])
    url = f"http://127.0.0.1:{port}/evaluate"
    try:
        for _ in range(100):
            try:
                post(url, body(SHORT, 1))
                break
            except OSError:
                time.sleep(0.1)
        yield Processes(process.pid), url
    finally:
        process.terminate()
        process.wait()


class LongOnes(threading.Thread):
    """Evaluates `fib n`, one after the other."""

    def __init__(self, url: str, n: int) -> None:
        super().__init__(daemon=True)
        self.url, self.n, self.done, self.failed = url, n, 0, 0

    def run(self) -> None:
        while True:
            try:
                post(self.url, body(LONG, self.n))
                self.done += 1
            except OSError:
                self.failed += 1
                time.sleep(1)


def alone(url: str) -> float:
    """Milliseconds of the short request when there is no other, the best of many."""
    times = []
    for _ in range(200):
        started = time.perf_counter()
        post(url, body(SHORT, 2))
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def wrk(url: str, connections: int, seconds: int) -> list[int]:
    """Requests, microseconds, answers that were not 200, other errors, and two latencies in microseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT % body(SHORT, 2))
        script.flush()
        command = ["wrk", f"-c{connections}", "-t2", f"-d{seconds}s", "--timeout=10s", "-s", script.name, url]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [int(word) for word in done.stdout.rpartition("RESULT ")[2].split()]


def load(connections: int, workers: int, seconds: int, a_round: int, n: int) -> None:
    with server(workers) as (processes, url):
        print(f"at the start {processes.megabytes():.1f} MiB; a request by itself takes {alone(url):.2f} ms")
        long_ones = LongOnes(url, n)
        if n:
            long_ones.start()
        print(" seconds  requests/s  not 200  errors  p50 ms  p99 ms  cpu ms  long -lost     MiB")
        for begun in range(0, seconds, a_round):
            before = processes.cpu_seconds()
            requests, taken, status, errors, p50, p99 = wrk(url, connections, min(a_round, seconds - begun))
            cpu = (processes.cpu_seconds() - before) / requests
            print(
                f"{begun + a_round:8} {requests / taken * 1e6:11.0f} {status:8} {errors:7} {p50 / 1000:7.1f} "
                f"{p99 / 1000:7.1f} {cpu * 1000:7.2f} {f'{long_ones.done} -{long_ones.failed}':>10} "
                f"{processes.megabytes():7.1f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--connections", type=int, default=64, metavar="N", help="of wrk: 64")
    parser.add_argument("--seconds", type=int, default=150, metavar="N", help="in all: 150")
    parser.add_argument("--round", type=int, default=30, metavar="N", help="seconds of one round: 30")
    parser.add_argument("--long", type=int, default=30, metavar="N", help="n of fib n; 0: nothing beside")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that serve: 1")
    given = parser.parse_args()
    load(given.connections, given.workers, given.seconds, given.round, given.long)


if __name__ == "__main__":
    main()
