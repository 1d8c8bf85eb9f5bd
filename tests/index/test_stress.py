"""Many processes at once, some of them killed, on changing transcripts: the totals are those of one process."""

from __future__ import annotations

import os

import pytest

from conftest import Home
from stress import burst, stress

# CCUSAGE_STRESS=SECONDS[,ASKERS[,SEED]] asks for a longer run.
LONG = [float(part) for part in os.environ.get("CCUSAGE_STRESS", "").split(",") if part]


@pytest.mark.skipif(os.name == "nt", reason="kill -9 needs POSIX")
def test_whatever_is_killed_no_answer_is_wrong_and_nothing_is_lost(home: Home) -> None:
    seconds, askers, seed = (*LONG, *(4.0, 4, 1)[len(LONG) :])
    outcome = stress(home, seconds, int(askers), kill=0.3, seed=int(seed))
    assert outcome.faults == []
    assert outcome.asked["killed"] > 0
    assert sum(outcome.asked.values()) > 10
    assert sum(outcome.steps.values()) > 50


@pytest.mark.parametrize("count", [2, 40])
def test_that_many_questions_at_the_same_moment_are_all_answered(home: Home, count: int) -> None:
    outcome = burst(home, count, seed=count)
    assert outcome.faults == []
    assert sum(number for name, number in outcome.asked.items() if name != "not stored") == count
