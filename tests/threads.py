"""Polars has one thread in each process of the tests, as several of them share the machine's cores.

Threads that wait for work cost a fifth of the processor time of tests whose tables are small. The servers that tests start
have as many as there are cores, as everywhere else.
"""

from __future__ import annotations

import os

_SETTING = "POLARS_MAX_THREADS"


def use_one_thread() -> None:
    """Import Polars with one thread: it reads the setting when it is imported, so nothing may have imported it before."""
    before = os.environ.get(_SETTING)
    os.environ[_SETTING] = "1"
    import polars as pl

    pl.thread_pool_size()
    if before is None:
        del os.environ[_SETTING]
    else:
        os.environ[_SETTING] = before
