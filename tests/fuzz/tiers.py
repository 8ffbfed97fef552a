"""Compares the interpreter with compiled code, and both with a nix-instantiate, on random programs.

    python -m tests.fuzz.tiers --minutes 15 --seed 1 [--command nix-modern] [--depth 5]

Each program runs in the tiers `interpreter`, `native`, and `auto` with code compiled on its fourth run. Values
are compared as they are printed, lazily or strictly; errors by all that they tell: code, message, places and
frames. A program that tells tiers apart is made smaller, as long as it still does, and printed. The
command, where it is installed, is compared as `tests.fuzz.differential` does. Exit code 1 if there was a difference.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from random import Random
from time import monotonic

import anyio

from aionix import evaluation as settings
from aionix.errors import StackOverflow
from aionix.evaluation import Evaluation, EvaluationResult, Tier
from aionix.values.printing import show
from io_backends import Sealed
from tests.fuzz.differential import compare, shrink
from tests.fuzz.generate import Tree, program

BATCH = 20
SECONDS = 20
MAX_CALL_DEPTH = 2_000
#: Runs before code is compiled in `auto` here, so that small programs have code of both kinds.
FUEL = 3
TIERS: tuple[Tier, ...] = ("interpreter", "native", "auto")


def evaluation_in(tier: Tier, strict: bool, traced: Callable[[str], None] = lambda line: None) -> Evaluation:
    builder = Evaluation.builder(Sealed()).tier(tier).mode("strict" if strict else "lazy")
    return builder.max_call_depth(MAX_CALL_DEPTH).trace(traced).build()


def told(result: EvaluationResult) -> str:
    """The value as it is printed, or all that the errors tell.

    Of a stack overflow only that it was one: tiers may count calls in their own ways.
    """
    if result.value is not None:
        return show(result.value.raw)
    errors = [
        {"code": error.code, "message": error.message} if isinstance(error, StackOverflow) else error.to_dict()
        for error in result.errors
    ]
    return json.dumps(errors, sort_keys=True)


async def outcome(text: str | bytes, tier: Tier, strict: bool) -> str:
    """What comes of `text`: see `told`; or `timeout`, or `crash`."""
    try:
        with anyio.fail_after(SECONDS):
            return told(await evaluation_in(tier, strict).evaluate(text, base_dir="/"))
    except TimeoutError:
        return "timeout"
    except Exception as error:  # a fault of ours is what we look for
        return f"crash: {type(error).__name__}: {error}"


def outcomes(text: str, strict: bool) -> dict[Tier, str]:
    async def all_of_them() -> dict[Tier, str]:
        return {tier: await outcome(text, tier, strict) for tier in TIERS}

    return anyio.run(all_of_them)


def differ(text: str, strict: bool) -> bool:
    """Do the tiers disagree? One that is too slow says nothing."""
    return len({found for found in outcomes(text, strict).values() if found != "timeout"}) > 1


def differences(trees: Sequence[Tree], strict: bool) -> int:
    """Prints the programs that tell tiers apart; how many there were."""
    found = 0
    for tree in trees:
        if not differ(str(tree), strict):
            continue
        found += 1
        small = str(shrink(tree, lambda text: differ(text, strict)))
        print(f"--- {'strict' if strict else 'lazy'}\n{small}")
        for tier, text in outcomes(small, strict).items():
            print(f"  {tier}: {text}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the tiers of aionix on random programs.")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--command", default="nix-modern")
    options = parser.parse_args()
    settings.FUEL = FUEL
    installed = shutil.which(options.command) is not None
    random = Random(options.seed)
    found = count = 0
    end = monotonic() + 60 * options.minutes
    while monotonic() < end:
        trees = [program(random, options.depth) for _ in range(BATCH)]
        strict = random.random() < 0.6
        found += differences(trees, strict)
        if installed:
            found += compare([options.command], trees, strict)
        count += BATCH
    print(f"{count} programs, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
