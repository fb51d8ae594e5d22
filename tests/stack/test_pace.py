"""One pace for one account: the rate is kept, and used, by any number of instances at any latency.

`python -m bench.pace` measures all nine combinations; three of them stand for the rest here. That a token bucket is what
throttles is our assumption (docs/sandbox.md).
"""

from __future__ import annotations

import pytest

from bench.pace import measure
from local.warm import Shared

TRIES = 3
"""A busy machine only ever lowers the share of the rate that is used: it is the best of so many. Exceeded it is in none."""


@pytest.mark.parametrize(("instances", "latency_ms"), [(1, 2000), (2, 50), (4, 500)])
def test_the_rate_is_used_and_never_exceeded(instances: int, latency_ms: int, shared_parts: Shared) -> None:
    seen = []
    for _ in range(TRIES):
        seen.append(measure(instances, latency_ms, rate=40, profiles=800, shared=shared_parts))
        assert seen[-1].is_kept, seen
        if seen[-1].is_used:
            return
    pytest.fail(f"the rate was not used: {seen}")


def test_instances_whose_clocks_differ_still_share_one_pace(shared_parts: Shared) -> None:
    used = measure(3, 50, rate=40, profiles=800, skews=(-2.5, 0.0, 3.0), shared=shared_parts)
    assert used.throttled <= 0.005, used
    assert used.fullest <= used.rate + 20, used
