"""Tests, written as the specification."""

from __future__ import annotations

from tests.threads import use_one_thread

use_one_thread()  # before anything here imports Polars
