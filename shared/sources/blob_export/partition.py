"""One partition's rows: block by block as long as they are regular, then carefully.

Polars parses blocks that are proved to be regular (`shared.sources.blob_export.blocks`). Where one is not (a row with too few
or too many fields, a quote that makes no sense), the rest of the partition is read row by row, and only the broken rows are
marked; of them only their place and their traces (`shared.sources.blob_export.traces`) are handed on.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Final

import polars as pl
from azure.storage.blob import BlobClient

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.ahead import in_order
from shared.sources.blob_export.blocks import cut, grammar_of, is_doubtful, rows_of_several_lines
from shared.sources.blob_export.dialect import Unreadable, rows
from shared.sources.blob_export.encoding import decoder
from shared.sources.blob_export.evidence import INVISIBLE, Layout, layout_of, names_most, plain
from shared.sources.blob_export.lines import LONGEST_LINE, UNDECODED
from shared.sources.blob_export.tables import CUSTOMER_ID, Partition
from shared.sources.blob_export.traces import Trace, Tracer, Usual, usual_row
from shared.sources.blob_export.written import bare
from shared.sources.source import CANDIDATES, MALFORMED, WEIGHT

BATCH: Final = 50_000
"""Rows of a batch that is read carefully: enough to be quick, few enough to be small."""

HEAVIEST: Final = 1 << 25
"""Characters of a batch that is read carefully, whose rows may be long."""

PIECE: Final = 1 << 23
"""Bytes that are fetched in one request."""

LONGEST_VALUE: Final = 1 << 16
"""Characters of a value; a row with a longer one among those asked for is broken."""

_START: Final = 1 << 16
_TAIL: Final = 64
_HOLE: Final = b"\0" * 16
"""Zeros that nobody wrote: rows are missing there, and what stands around them may be two people's."""

_TRACES: Final = pl.Schema({WEIGHT: pl.UInt32(), CANDIDATES: pl.List(pl.String())})
_PLAIN: Final = {"", "identity", "utf-8", "utf8"}
"""Content encodings under which a blob is what it holds."""


@dataclass(frozen=True, slots=True)
class PartitionFile:
    """A partition as found: how it is written, what a usual row is like, the version that is read, and the last bytes that were read of it."""

    blob: BlobClient
    etag: str
    size: int
    layout: Layout
    usual: Usual
    tail: bytearray = field(default_factory=bytearray)

    @property
    def ends_with_a_line(self) -> bool:
        """Whether its last line has an end, as far as it was read; blanks after it make no line."""
        return self.tail.rstrip(b" \t\r\x1a").endswith(b"\n")


def find(blob: BlobClient, partition: Partition, columns: Sequence[str], address: str | None = None) -> PartitionFile:
    """Look at a partition's beginning: what it is, and how it is written. Raise Unreadable."""
    properties = blob.get_blob_properties()
    check_plain(properties.content_settings.content_encoding)
    start = b""
    for length in (_START, LONGEST_LINE):
        if properties.size > len(start) and b"\n" not in start:
            start = blob.download_blob(offset=0, length=length, decompress=False).readall()
    whole = len(start) >= properties.size
    layout = layout_of(start, partition.dialect, columns, address, whole=whole)
    usual = usual_row(start[layout.offset :], len(layout.names))
    return PartitionFile(blob, bare(properties.etag), properties.size, layout, usual)


def rows_of_file(file: PartitionFile, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Return a partition's rows: block by block as long as they are regular, then carefully."""
    grammar = grammar_of(file.layout.dialect, len(file.layout.names))

    def parse(block: bytes) -> tuple[bytes, bool, pl.DataFrame | None]:
        several = None if _HOLE in block else rows_of_several_lines(block, grammar)
        if several is None:
            return block, False, None
        return block, True, None if is_doubtful(block, several, grammar) else _parsed(block, file, wanted)

    coming = in_order(parse, cut(body(file), grammar))
    for block, regular, batch in coming:
        if batch is not None:
            yield batch
        elif regular:  # so it ends with a row
            yield from carefully([block], file, wanted)
        else:
            yield from carefully(chain([block], (later for later, *_ in coming)), file, wanted)


def check_plain(encoding: str | None) -> None:
    """Raise Unreadable for a blob that has to be unpacked: a small one may hold more than there is memory."""
    if (encoding or "").strip().lower() not in _PLAIN:
        raise Unreadable(f"is stored with the Content-Encoding {str(encoding)[:20]!r}, and nothing is unpacked here")


def check_columns(layout: Layout, wanted: Sequence[str], path: str, address: str | None) -> None:
    """Raise unless the partition has each column once: of one that it lacks nothing is known, least that it is empty."""
    for name in wanted:
        count = layout.names.count(name)
        if count > 1:
            raise Unreadable(f"has {count} columns named {name!r}")
        if not count:
            raise ExportError(
                Reason.EMAIL_COLUMN_MISSING if name == address else Reason.COLUMN_MISSING,
                f"{path} has no column {name!r}, although model.json names it. Run the Blob export again, so that all files "
                "of a segment have the same columns.",
            )


def check_sound(file: PartitionFile, count: int, broken: int, *, cut_off: bool) -> None:
    """Raise Unreadable for a partition that was not understood as a whole, or ends before its last row does."""
    if broken * 2 > count:
        dialect, width = file.layout.dialect, len(file.layout.names)
        raise Unreadable(
            f"cannot be understood: of {count:,} rows {broken:,} are not {width:,} fields parted by {dialect.delimiter!r} in UTF-8"
        )
    if cut_off and not file.tail.endswith(b"\n"):
        raise Unreadable("ends in the middle of a row")


def body(file: PartitionFile) -> Iterator[bytes]:
    """Return a partition's bytes from its first row on, fetched one piece ahead."""
    pieces = map(partial(_noted, file), in_order(partial(_piece, file), range(0, file.size, PIECE)))
    return chain([next(pieces, b"")[file.layout.offset :]], pieces)


def _noted(file: PartitionFile, piece: bytes) -> bytes:
    file.tail[:] = (file.tail + piece[-_TAIL:])[-_TAIL:]
    return piece


def _piece(file: PartitionFile, start: int) -> bytes:
    return bytes(file.blob.download_blob(offset=start, length=PIECE, decompress=False).readall())


def _parsed(block: bytes, file: PartitionFile, wanted: Sequence[str]) -> pl.DataFrame | None:
    """Parse a regular block; None if that does not take it as it is. All columns go by position, since names may be double."""
    dialect, names = file.layout.dialect, file.layout.names
    if block.startswith(codecs.BOM_UTF8):  # Polars would drop it, though it is the first value's: the file's own is off
        return None
    places = sorted({names.index(name) for name in wanted} | {len(names) - 1})
    try:
        table = pl.read_csv(
            block,
            has_header=False,
            columns=places,
            schema={str(place): pl.String for place in range(len(names))},
            separator=dialect.delimiter,
            quote_char=dialect.quote,
        )
    except pl.exceptions.PolarsError:
        return None
    if CUSTOMER_ID in wanted and _headers(table[str(names.index(CUSTOMER_ID))], names):
        return None
    too_long = table.select(pl.any_horizontal(pl.all().str.len_bytes() > LONGEST_VALUE).any()).item()
    return None if too_long else _named_columns(table, names, wanted)


def _headers(customers: pl.Series, names: Sequence[str]) -> bool:
    """Return whether a CustomerId is the name of a column: then its row is a header, in whatever order."""
    known = pl.Series([plain(name) for name in names if UNDECODED not in name], dtype=pl.String)
    name = pl.first().str.strip_chars(INVISIBLE).str.to_lowercase()
    return bool(customers.to_frame().select_seq(name.is_in(known.implode()).any()).item())


def carefully(pieces: Iterable[bytes], file: PartitionFile, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Read rows one by one and mark those that are malformed."""
    names = file.layout.names
    places = [names.index(name) for name in wanted]
    own, known = wanted.index(CUSTOMER_ID) if CUSTOMER_ID in wanted else None, {*map(plain, names)}
    hole, tracer = _HOLE.decode(), Tracer(file.layout.dialect.delimiter, len(names), file.usual)
    held: list[list[str | bool | None]] = []
    traces: dict[int, Trace] = {}
    weight = 0
    for row in rows(_text(pieces), file.layout.dialect, width=len(names)):
        values = [] if row.broken else [row.cells[place] for place in places]
        if values and own is not None and plain(values[own]) in known and names_most(row.cells, names):
            raise Unreadable("has a header among its rows, as if files had been joined")
        text = "".join(values)
        if row.broken:
            traces[len(held)] = tracer.of_line(row.line)
        elif (
            UNDECODED in text
            or (len(text) > LONGEST_VALUE and max(map(len, values)) > LONGEST_VALUE)
            or hole in "\n".join(row.cells)
        ):
            traces[len(held)] = tracer.of_cells(row.cells)
        broken = len(held) in traces
        held.append([True, *[None] * len(wanted)] if broken else [False, *[value or None for value in values]])
        weight += len(text)
        if len(held) == BATCH or weight > HEAVIEST:
            yield _table(held, traces, wanted)
            held, traces, weight = [], {}, 0
    if held:
        yield _table(held, traces, wanted)


def _text(pieces: Iterable[bytes]) -> Iterator[str]:
    text = decoder()
    for piece in pieces:
        yield text.decode(piece)
    yield text.decode(b"", final=True)


def _named_columns(table: pl.DataFrame, names: Sequence[str], wanted: Sequence[str]) -> pl.DataFrame:
    """Return the asked columns by name, with MALFORMED and TRACES beside them."""
    values = [pl.col(str(names.index(name))).replace("", None).alias(name) for name in wanted]
    sound = pl.repeat(value=False, n=pl.len(), dtype=pl.Boolean).alias(MALFORMED)
    return table.select_seq(sound, *[pl.lit(None, kind).alias(name) for name, kind in _TRACES.items()], *values)


def _table(held: list[list[str | bool | None]], traces: Mapping[int, Trace], wanted: Sequence[str]) -> pl.DataFrame:
    """Return rows that were read carefully; of the broken ones the traces are given by their numbers."""
    schema: dict[str, Any] = {MALFORMED: pl.Boolean} | dict.fromkeys(wanted, pl.String)
    table = pl.DataFrame(held, schema=schema, orient="row")
    found = [(trace.weight, trace.candidates) if (trace := traces.get(n)) else (None, None) for n in range(len(held))]
    return table.select(MALFORMED, *pl.DataFrame(found, schema=_TRACES, orient="row"), pl.exclude(MALFORMED))
