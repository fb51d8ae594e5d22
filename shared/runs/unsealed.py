"""Tables without a seal: what an older version wrote, or what was cut short. They are decoded elsewhere first.

Decoding a damaged Parquet file can ask for so much memory that the process is ended, and no handler sees that. So it
is tried in a process that nobody misses. A sealed table needs no trial: its seal tells damage.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

SECONDS: Final = 60.0
"""Seconds that a trial may take; the largest state takes a few."""

MOST_MEMORY: Final = 4 << 30
"""Bytes of address space of a trial: it must not take what the instance needs."""

_TRIAL: Final = f"""
import io, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MOST_MEMORY}, {MOST_MEMORY}))
import polars
polars.read_parquet(io.BytesIO(sys.stdin.buffer.read()))
"""


def can_be_decoded(data: bytes) -> bool:
    """Return whether a Parquet table can be decoded without harm; a process of its own tries it."""
    trial = [sys.executable, "-c", _TRIAL]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"}
    try:
        done = subprocess.run(trial, input=data, capture_output=True, env=environment, timeout=SECONDS, check=False)  # noqa: S603 - our own words
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
