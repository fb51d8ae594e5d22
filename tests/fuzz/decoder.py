"""Tries to decode tables in a process of its own, as `shared.state.seal` does, but in the same one as long as it lives."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

_SERVE: Final = """
import io, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import polars
while head := sys.stdin.buffer.read(4):
    try:
        polars.read_parquet(io.BytesIO(sys.stdin.buffer.read(int.from_bytes(head))))
        told = b"1"
    except BaseException:
        told = b"0"
    sys.stdout.buffer.write(told)
    sys.stdout.buffer.flush()
"""


class Decoder:
    """Decodes tables elsewhere."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def can_be_decoded(self, data: bytes) -> bool:
        """Return whether a table could be decoded; the next call starts anew if it ended the process."""
        if self._process is None:
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"}
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment
            )
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(len(data).to_bytes(4) + data)
        process.stdin.flush()
        told = process.stdout.read(1)
        if not told:
            process.wait()
            process.stdin.close()
            process.stdout.close()
            self._process = None
        return told == b"1"
