"""Work ahead: results come in the order of what they are of, at most so many before they are asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from shared.sources.ahead import THREADS, in_order


def test_results_keep_the_order_of_the_items() -> None:
    def slowly(number: int) -> int:
        time.sleep(0.005 * (number % 3))
        return number * number

    assert list(in_order(slowly, range(20))) == [number * number for number in range(20)]


def test_only_so_many_items_are_taken_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = in_order(lambda number: number, items())
    assert next(results) == 0
    assert len(taken) == THREADS + 2  # the one that was asked for, and as many as are ahead
    results.close()  # type: ignore[attr-defined]


def test_a_fault_comes_where_its_result_would_have() -> None:
    def divide(number: int) -> float:
        return 6 / (2 - number)

    results = in_order(divide, range(5))
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
