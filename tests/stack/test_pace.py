"""One pace for one account: the rate is kept, and used, by any number of instances at any latency.

`python -m bench.pace` measures more combinations; a few stand for the rest here. That a token bucket is what
throttles is our assumption (docs/sandbox.md).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.pace import AT_AUTOPILOT, AT_ORTTO, Load, measure
from local.warm import Shared

LOAD = replace(AT_AUTOPILOT, rate=40, burst=30, profiles=800)
TAGS = replace(AT_ORTTO, rate=20, burst=15, profiles=8000)
"""Their bursts forgive three quarters of a second in which a busy machine sends nothing, and then everything."""

TRIES = 3
"""A busy machine only ever lowers the share of the rate that is used: it is the best of so many. Exceeded it is in none."""


@pytest.mark.parametrize(
    ("load", "instances", "latency_ms"), [(LOAD, 1, 2000), (LOAD, 2, 50), (LOAD, 4, 500), (TAGS, 2, 200)]
)
def test_the_rate_is_used_and_never_exceeded(load: Load, instances: int, latency_ms: int, shared_parts: Shared) -> None:
    seen = []
    for _ in range(TRIES):
        seen.append(measure(load, instances, latency_ms, shared=shared_parts))
        assert seen[-1].is_kept, seen
        if seen[-1].is_used:
            return
    pytest.fail(f"the rate was not used: {seen}")


def test_instances_whose_clocks_differ_still_share_one_pace(shared_parts: Shared) -> None:
    used = measure(LOAD, 3, 50, skews=(-2.5, 0.0, 3.0), shared=shared_parts)
    assert used.throttled <= 0.005, used
    assert used.fullest <= LOAD.rate + LOAD.burst, used
