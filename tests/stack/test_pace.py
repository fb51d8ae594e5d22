"""One pace for one account: the rate is kept, and used, by any number of instances at any latency.

`python -m bench.pace` measures all nine combinations; three of them stand for the rest here. That a token bucket is what
throttles is our assumption (docs/sandbox.md).
"""

from __future__ import annotations

import pytest

from bench.pace import measure


@pytest.mark.parametrize(("instances", "latency_ms"), [(1, 2000), (2, 50), (4, 500)])
def test_the_rate_is_used_and_never_exceeded(instances: int, latency_ms: int) -> None:
    used = measure(instances, latency_ms, rate=40, profiles=800)
    assert used.keeps_the_pace, used


def test_instances_whose_clocks_differ_still_share_one_pace() -> None:
    used = measure(3, 50, rate=40, profiles=800, skews=(-2.5, 0.0, 3.0))
    assert used.throttled <= 0.005, used
    assert used.fullest <= used.rate + 20, used
