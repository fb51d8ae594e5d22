"""What the processes of the tests share the machine by."""

from __future__ import annotations

import os

import polars as pl


def test_polars_has_one_thread_here_and_as_many_as_it_likes_in_servers() -> None:
    assert pl.thread_pool_size() == 1
    assert "POLARS_MAX_THREADS" not in os.environ
