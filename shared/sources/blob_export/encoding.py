"""What the first bytes of a file say: text in UTF-8, or something else by its name."""

from __future__ import annotations

import codecs
import re
from typing import Final

from shared.sources.blob_export.dialect import Unreadable
from shared.sources.blob_export.lines import UNDECODED

_MAGIC: Final = {
    b"\x1f\x8b": "is compressed (gzip)",
    b"PK\x03\x04": "is a zip archive or an Excel workbook",
    b"PAR1": "is a Parquet file",
    b"ORC": "is an ORC file",
    b"Obj\x01": "is an Avro file",
    b"\x28\xb5\x2f\xfd": "is compressed (zstd)",
    b"BZh": "is compressed (bzip2)",
    b"\xfd7zXZ": "is compressed (xz)",
    b"7z\xbc\xaf": "is compressed (7z)",
    b"\x04\x22\x4d\x18": "is compressed (lz4)",
    b"\xff\x06\x00\x00sNaPpY": "is compressed (snappy)",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook",
    b"%PDF-": "is a PDF file",
    b'{"': "is a JSON file",
    b"[{": "is a JSON file",
    b"<!": "is a web page",
    b"<html": "is a web page",
    b"<?xml": "is an XML file",
}
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_CONTROLS: Final = re.compile(rb"[\x00\x02-\x08\x0e-\x1f\x7f]")
"""Control characters that stand in no text, but for the one (01) that parts the fields of Hive's tables."""


def _undecoded(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return UNDECODED, error.end
    raise error


codecs.register_error("segment_export.undecoded", _undecoded)


def decoder() -> codecs.IncrementalDecoder:
    """Return a decoder of UTF-8 that puts UNDECODED for what is none."""
    return codecs.getincrementaldecoder("utf-8")(errors="segment_export.undecoded")


def check_bytes(start: bytes, delimiter: str) -> None:
    """Raise Unreadable unless it begins as a text in UTF-8 does, whose fields may be parted by a control character."""
    odd = len(_CONTROLS.findall(start.replace(delimiter.encode(), b"")))
    for magic, what in _MAGIC.items():
        if start.startswith((magic, codecs.BOM_UTF8 + magic)) and (
            odd or not magic.isalnum()
        ):  # a CustomerId may begin with ORC
            raise Unreadable(f"{what}, and only CSV files without compression are read")
    if start.startswith(_WIDE) or b"\0" in start[:4]:
        raise Unreadable("is not UTF-8. Export the segments as CSV files in UTF-8")
    odd += decoder().decode(start).count(UNDECODED)
    if odd * 20 > len(start):
        raise Unreadable("is not a text in UTF-8. Export the segments as CSV files in UTF-8")
