"""A seal: a stored table carries a digest of itself, so that damage is told before anybody decodes it.

Decoding a damaged Parquet file can ask for so much memory that the process is ended, and no handler sees that. A seal
tells accidents, not malice: who may write to the app's storage can make a new one.

A table without a seal is what an older version wrote, or what was cut short. It is decoded first in a process that nobody
misses.
"""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from io import BytesIO
from typing import Final

_MARK: Final = b"segment-export-sha256:"
_BLANK: Final = b"0" * 64

BLANK_SEAL: Final = (_MARK + _BLANK).decode()
"""What a file has to hold once, uncompressed, where its seal shall be."""

TRIAL_SECONDS: Final = 60.0
"""Seconds that a trial may take; the largest state takes a few."""

MOST_MEMORY: Final = 4 << 30
"""Bytes of address space of a trial: it must not take what the instance needs."""

_TRIAL: Final = f"""
import io, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MOST_MEMORY}, {MOST_MEMORY}))
import polars
polars.read_parquet(io.BytesIO(sys.stdin.buffer.read()))
"""


def sealed(file: BytesIO) -> bytes:
    """Return what is in a file that holds BLANK_SEAL, with its seal in that place."""
    offset = file.getvalue().rfind(BLANK_SEAL.encode())
    if offset >= 0:
        digest = sha256(file.getbuffer()).hexdigest().encode()
        file.seek(offset + len(_MARK))
        file.write(digest)
    return file.getvalue()


def is_sealed(data: bytes) -> bool:
    """Return whether data has a seal; what an older version of the app wrote has none."""
    return _MARK in data


def is_broken(data: bytes) -> bool:
    """Return whether data has a seal and is not as it was when it was sealed."""
    offset = data.rfind(_MARK)
    if offset < 0:
        return False
    start, end = offset + len(_MARK), offset + len(BLANK_SEAL)
    view, digest = memoryview(data), sha256()
    for part in (view[:start], _BLANK, view[end:]):
        digest.update(part)
    return digest.hexdigest().encode() != bytes(view[start:end])


def can_be_decoded(data: bytes) -> bool:
    """Return whether a Parquet table can be decoded without harm; a process of its own tries it."""
    trial = [sys.executable, "-c", _TRIAL]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            trial, input=data, capture_output=True, env=environment, timeout=TRIAL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
