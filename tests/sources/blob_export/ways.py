"""The ways to write a table: harmless ones, odd ones, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = ("CustomerId", "FirstName", "City", "Email")


Row = tuple[str, ...]


NAMES: Final = (
    "Ann",
    "Bo, the",
    'Cy "C" Lee',
    "Dé",
    "",
    "Eve\nLee",
    "Fay\r\nRoe",
    'G"',
    '"Hal',
    "Email",
    "7",
    "Лев",
    "I;J",
    "K\tL",
    "\ufffd",
    "C:\\",
    'M\\"',
    "=1",
    "Nan\u00a0O",
    "CustomerId",
    "a,b\nc,d,e,f",
)


DOUBTFUL: Final = {"CustomerId", "a,b\nc,d,e,f", 'M\\"'}
"""A value that is a header's, one that could be two rows, and one that Spark's quoting leaves open."""


CITIES: Final = ("Rome", "", "St. Ives, Cambs", "Köln\nSüd", "Email", 'The "Hague"', "x@y.example.com", "1;2", "-")


@dataclass(frozen=True)
class Way:
    """How a partition is written, and what model.json says of it."""

    header: str = "right"
    order: str = "model"
    delimiter: str = ","
    quoting: str = "minimal"
    ends: str = "\n"
    last_end: bool = True
    blanks: str = "none"
    encoding: str = "utf-8"
    packed: str = "none"
    content_encoding: str | None = None
    told: tuple[tuple[str, Any], ...] | None = None


HARMLESS: Final[Mapping[str, Sequence[Any]]] = {
    "header": ("right", "none", "lower", "upper", "blank", "invisible", "quoted"),
    "order": ("model",),
    "delimiter": (",",),
    "quoting": ("minimal", "all", "spark"),
    "ends": ("\n", "\r\n"),
    "last_end": (True, False),
    "blanks": ("none", "before", "between", "after", "spaces"),
    "encoding": ("utf-8", "utf-8-sig"),
    "packed": ("none",),
    "content_encoding": (None, "", "identity"),
}
"""Ways that are all read to the last row."""


ODD: Final[Mapping[str, Sequence[Any]]] = {
    "header": (
        "no city",
        "no name",
        "no email",
        "no id",
        "other city",
        "other name",
        "other email",
        "other id",
        "all other",
        "twice",
        "in the middle",
        "both",
        "more",
        "cut",
        "numbers",
        "double",
    ),
    "order": ("turned", "swapped", "short", "long"),
    "delimiter": (";", "\t", "|", "^", "\x01", " "),
    "quoting": ("none", "single", "some"),
    "ends": ("\r", "mixed", "\n\r", "\u2028", "\x85"),
    "blanks": ("commas", "end of file"),
    "encoding": ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp1251", "cp037"),
    "packed": ("gzip", "zip", "zlib", "bz2", "xz", "json", "html", "base64", "nothing"),
    "content_encoding": ("gzip", "br", "deflate", "aes"),
}


NO_HEADER: Final = {"none", "numbers", "all other", "in the middle"}


TOLD: Final[Mapping[str, Sequence[Any]]] = {
    "columnHeaders": (True, False, "true", "false", None, "yes"),
    "delimiter": (",", ";", None, "\t"),
    "quoteStyle": ("QuoteStyle.Csv", "QuoteStyle.None", None, "csv"),
    "encoding": ("UTF-8", "ascii", None, "utf-16", "windows-1252"),
    "csvStyle": ("CsvStyle.QuoteAlways", None),
    "$type": ("CsvFormatSettings", None, "ParquetFormatSettings"),
}
