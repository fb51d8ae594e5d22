"""Work ahead: threads that are busy with the next items while the last result is used."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final

THREADS: Final = max(2, os.process_cpu_count() or 1)
"""Threads that work ahead: what waits for storage and what computes in Polars both leave the interpreter to others."""


def in_order[Item, Result](work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Do `work` on each item in threads; return the results in the items' order.

    One item more than there are threads is asked for ahead: while the next one is waited for, every thread has work.
    """
    coming = iter(items)
    with ThreadPoolExecutor(THREADS) as pool:
        begun: deque[Future[Result]] = deque(pool.submit(work, item) for item in islice(coming, THREADS + 1))
        try:
            while begun:
                result = begun.popleft().result()
                begun.extend(pool.submit(work, item) for item in islice(coming, 1))
                yield result
        finally:
            for future in begun:
                future.cancel()
