"""Random programs mean the same in every tier, and what they mean in C++ Nix where that is installed."""

from __future__ import annotations

import os
import shutil
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.evaluation import Tier
from tests.fuzz.differential import Theirs
from tests.fuzz.generate import program
from tests.fuzz.tiers import FUEL, outcome

SLOW = bool(os.environ.get("AIONIX_SLOW_TESTS"))
COMMAND = "nix-modern"

seeds = st.integers(0, 2**32)


@pytest.fixture(autouse=True, scope="module")
def _soon_compiled() -> None:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("aionix.evaluation.FUEL", FUEL)
    yield
    monkeypatch.undo()


@settings(max_examples=4000 if SLOW else 300, deadline=None)
@given(seeds, st.booleans(), st.sampled_from(["native", "auto"]))
def test_a_random_program_comes_to_the_same_in_every_tier(seed: int, strict: bool, tier: Tier) -> None:
    text = str(program(Random(seed), 5))
    expected = anyio.run(outcome, text, "interpreter", strict)
    assert anyio.run(outcome, text, tier, strict) == expected, text


@pytest.mark.skipif(shutil.which(COMMAND) is None, reason=f"{COMMAND} is not installed")
@settings(max_examples=400 if SLOW else 50, deadline=None)
@given(seeds)
def test_random_programs_have_the_values_of_cpp_nix_when_compiled(seed: int) -> None:
    text = str(program(Random(seed), 4))
    theirs = "\n".join(Theirs([COMMAND], strict=True).results([text]))  # a path may have lines
    ours = anyio.run(outcome, text, "native", True)
    # Which of several errors is met first depends on the order of attributes: that there is one does not.
    failed = theirs.startswith("error:")
    assert ours.startswith("[{") and '"code"' in ours if failed else ours == theirs, text
