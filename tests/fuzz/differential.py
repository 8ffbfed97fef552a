"""Compares this evaluator with a nix-instantiate on random programs.

    python -m tests.fuzz.differential --count 500 --seed 1 [--command nix-instantiate] [--depth 5]

Each program is evaluated by both, lazily printed or `--strict`; results are compared exactly,
failures by the first line of the last `error:`. A program that tells them apart is made smaller,
as long as it still does, and printed. Exit code 1 if there was one; 0 also where there is no such command.
Attributes that fail in one set may be met in another order than in C++ Nix, and `{ } + throw ""` throws here
where C++ Nix refuses the set first; of two attributes defined twice another one may be named. None is a fault.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from random import Random

import anyio

from aionix.evaluation import Evaluation
from aionix.values.printing import show
from io_backends import LocalDisk
from tests.fuzz.generate import NAMES, Tree, program

BATCH = 40
SECONDS = 20
#: C++ Nix goes through attributes in the order in which it first met their names: let that be ours.
SYMBOLS = "{ " + "".join([f"{name} = 1; " for name in sorted(NAMES)]) + "}"


class Theirs:
    """The command. It evaluates expressions in turn and stops at the first that fails."""

    def __init__(self, command: Sequence[str], strict: bool) -> None:
        self._command = [*command, "--eval", *(["--strict"] if strict else []), "-E"]

    def results(self, texts: Sequence[str]) -> list[str]:
        done: list[str] = []
        while len(done) < len(texts):
            done += self._some(texts[len(done) :])
        return done

    def _some(self, texts: Sequence[str]) -> list[str]:
        try:
            ran = subprocess.run(
                [*self._command, SYMBOLS, *texts], capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as expired:
            return [*(expired.stdout or b"").decode("utf-8", "replace").splitlines()[1:], "timeout"]
        lines = ran.stdout.decode("utf-8", "surrogateescape").split("\n")[1:-1]
        if ran.returncode == 0:
            return lines
        return [*lines, _last_error(ran.stderr.decode("utf-8", "surrogateescape"))]


def _last_error(text: str) -> str:
    errors = [line.strip() for line in text.split("\n") if line.strip().startswith("error:")]
    return _failure(errors[-1]) if errors else f"crash: {text[-200:]}"


def _failure(message: str) -> str:
    # Which of several is found depends on the order of attributes, too.
    return "error: undefined variable" if "undefined variable" in message else message


def ours(texts: Sequence[str], strict: bool) -> list[str]:
    """What aionix says to each, in the same form."""

    async def all_of_them() -> list[str]:
        return [await _evaluated(text, strict) for text in texts]

    return anyio.run(all_of_them)


async def _evaluated(text: str, strict: bool) -> str:
    evaluation = Evaluation.builder(LocalDisk()).mode("strict" if strict else "lazy").build()
    try:
        with anyio.fail_after(SECONDS):
            result = await evaluation.evaluate(text)
    except TimeoutError:
        return "timeout"
    except Exception as error:  # a fault of ours is what we look for
        return f"crash: {type(error).__name__}: {error}"
    if result.value is None:
        return _failure(("error: " + result.errors[0].message.split("\n")[0]).strip())
    return show(result.value.raw)


def shrink(tree: Tree, differs: Callable[[str], bool]) -> Tree:
    """A smaller program that still `differs`: expressions give way to their parts, or to `1`."""
    shrinking = True
    while shrinking:
        shrinking = False
        for old in list(tree.trees()):
            candidates = [*list(old.trees())[1:], Tree(["1"]), Tree(["{ }"]), Tree(["[ ]"])]
            for new in sorted(candidates, key=lambda one: len(str(one))):
                if len(str(new)) < len(str(old)) and differs(str(smaller := tree.replaced(old, new))):
                    tree, shrinking = smaller, True
                    break
            if shrinking:
                break
    return tree


def compare(command: Sequence[str], trees: Sequence[Tree], strict: bool) -> int:
    """Prints the programs that tell the two apart; how many there were."""
    theirs = Theirs(command, strict)
    texts = [str(tree) for tree in trees]
    found = 0
    for tree, left, right in zip(trees, ours(texts, strict), theirs.results(texts), strict=True):
        if left == right:
            continue
        found += 1
        small = shrink(tree, lambda text: ours([text], strict) != theirs.results([text]))
        [left], [right] = ours([str(small)], strict), theirs.results([str(small)])
        print(
            f"--- {'strict' if strict else 'lazy'}\n{small}\n  aionix: {left}\n  theirs: {right}", flush=True
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare aionix with a nix-instantiate on random programs.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--command", default="nix-instantiate")
    options = parser.parse_args()
    if shutil.which(options.command) is None:
        print(f"{options.command} is not installed: nothing compared")
        return 0
    random = Random(options.seed)
    found = 0
    for start in range(0, options.count, BATCH):
        trees = [program(random, options.depth) for _ in range(min(BATCH, options.count - start))]
        found += compare([options.command], trees, random.random() < 0.6)
    print(f"{options.count} programs, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
