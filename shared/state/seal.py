"""A seal: a stored table carries a digest of itself, so that damage is told before anybody decodes it.

Decoding a damaged Parquet file can ask for so much memory that the process is ended, and no handler sees that. A seal
tells accidents, not malice: who may write to the app's storage can make a new one.
"""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Final

_MARK: Final = b"segment-export-sha256:"
_BLANK: Final = b"0" * 64

BLANK_SEAL: Final = (_MARK + _BLANK).decode()
"""What a file has to hold once, uncompressed, where its seal shall be."""


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
