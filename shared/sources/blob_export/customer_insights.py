"""The adapter to Customer Insights' storage: the catalogue, and a table's rows, streamed and only the columns asked for.

What a partition is, its beginning says (`shared.sources.blob_export.evidence`). Polars parses blocks that are proved to be regular
(`shared.sources.blob_export.blocks`). Where one is not (a row with too few or too many fields, a quote that makes no sense), the rest of
its partition is read the careful way, row by row, and only the broken rows are marked; of them nothing but their place is
handed on.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any, Final

import polars as pl
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.storage.blob import BlobClient, BlobServiceClient

from shared.azure.identity import NoToken
from shared.cleaning.clean import MALFORMED, ROW, WHERE
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient
from shared.sources.ahead import in_order
from shared.sources.blob_export.blocks import cut, is_doubtful, is_regular, may_swallow, rows_of
from shared.sources.blob_export.dialect import LONGEST_LINE, Unreadable, rows
from shared.sources.blob_export.evidence import INVISIBLE, UNDECODED, Layout, decoder, layout_of, names_most, plain
from shared.sources.blob_export.model import MOST_BYTES, parse_model, too_large
from shared.sources.catalogue import CUSTOMER_ID, Catalogue, Partition, Table

BATCH: Final = 50_000
"""Rows of a batch that is read carefully: enough to be quick, few enough to be small."""

HEAVIEST: Final = 1 << 25
"""Characters of a batch that is read carefully, whose rows may be long."""

PIECE: Final = 1 << 23
"""Bytes that are fetched in one request."""

MOST_FOLDERS: Final = 50
MOST_LISTED: Final = 50_000
"""Folders of one table that are listed, and blobs of each, to see which version of its partitions there is."""

_PASSING: Final = {408, 429, 500, 502, 503, 504}
"""What storage answers when it may answer better later."""

_REPLACED: Final = {412, 416}
"""What storage answers for a blob that is another by now, or a shorter one."""

_BROKEN: Final = (IncompleteReadError, ServiceResponseError)
"""What the SDK wraps when a connection breaks in the middle of an answer; which one depends on how the answer is read."""

LONGEST_VALUE: Final = 1 << 16
"""Characters of a value; a row with a longer one among those asked for is broken."""

_START: Final = 1 << 16
_PLAIN: Final = {"", "identity", "utf-8", "utf8"}
"""Content encodings under which a blob is what it holds."""


@dataclass(frozen=True, slots=True)
class _File:
    """A partition as found: how it is written, the version that is read, and the last byte that was read of it."""

    blob: BlobClient
    etag: str
    size: int
    layout: Layout
    tail: bytearray = field(default_factory=bytearray)


class CustomerInsights:
    """Reads the folder `path` (container/folder) that holds `model.json`. Raises ExportError with what to do."""

    def __init__(self, service: BlobServiceClient, path: str) -> None:
        self._service = service
        self._container, _, folder = path.partition("/")
        self._model = f"{folder}/model.json" if folder else "model.json"

    def catalogue(self) -> Catalogue:
        """Read `model.json`."""
        with self._named(self._model):
            stream = self._blob(self._model).download_blob(offset=0, length=MOST_BYTES + 1, decompress=False)
            _check_plain(stream.properties.content_settings.content_encoding)
            if stream.properties.size > MOST_BYTES:
                raise too_large()
            text, etag = stream.readall(), str(stream.properties.etag)
        return parse_model(text, container=self._container, etag=etag)

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> None:
        """Raise ExportError SOURCE_NOT_SETTLED while Customer Insights is, or may be, still writing.

        That is: `model.json` has changed since, is younger than `quiet`, or names a partition that is not there.
        """
        with self._named(self._model):
            properties = self._blob(self._model).get_blob_properties()
        if properties.etag != catalogue.etag:
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "model.json changed while it was read.")
        young = now - properties.last_modified < quiet
        if young:
            raise ExportError(
                Reason.SOURCE_NOT_SETTLED, f"model.json is younger than {quiet.total_seconds():g} seconds."
            )
        for name in names:
            for partition in catalogue.table(name).partitions:
                with self._named(partition.path):
                    self._blob(partition.path, partition.snapshot).get_blob_properties()

    def count(self, table: Table) -> int:
        """Count a table's rows."""
        return sum(batch.height for batch in self.read(table, [CUSTOMER_ID]))

    def versions(self, table: Table) -> dict[str, str]:
        """Return the ETags of a table's partitions by path, as far as some listings say: a call for 5,000 of them."""
        wanted = {partition.path for partition in table.partitions if partition.snapshot is None}
        folders = {path.rpartition("/")[0] for path in wanted}
        client = self._service.get_container_client(self._container)
        found: dict[str, str] = {}
        for folder in sorted(folders)[:MOST_FOLDERS]:
            with self._named(folder):
                listed = client.list_blobs(name_starts_with=f"{folder}/" if folder else None)
                found |= {blob.name: str(blob.etag) for blob in islice(listed, MOST_LISTED) if blob.name in wanted}
        return found

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        """Return the table's rows in batches, in the order of partitions and rows, the same each time.

        Columns: ROW (UInt64, from 0), MALFORMED (Boolean), WHERE (String, the place of a malformed row), and those asked
        for, as String, null for empty; a malformed row has no values. `address` is the column of e-mail addresses.
        Raises ExportError SOURCE_MALFORMED for a partition that is not what it is taken for, COLUMN_MISSING or
        EMAIL_COLUMN_MISSING for one that lacks a column, SOURCE_NOT_SETTLED if one was replaced meanwhile.
        """
        wanted = list(dict.fromkeys(columns))
        row = 0
        for partition in table.partitions:
            with self._named(partition.path):
                file = self._find(partition, table, address)
                _check_columns(file.layout, wanted, partition.path, address)
                first, broken, cut_off = row, 0, False
                for batch in self._rows(file, wanted):
                    number = pl.int_range(pl.len(), dtype=pl.UInt64) + row
                    yield batch.with_columns(number.alias(ROW), _where(batch, partition.path, row - first).alias(WHERE))
                    row += batch.height
                    broken += int(batch[MALFORMED].sum())
                    cut_off = batch[MALFORMED][-1]
                _check_sound(file, row - first, broken, cut_off=cut_off)
                if str(file.blob.get_blob_properties().etag) != file.etag:
                    raise ExportError(Reason.SOURCE_NOT_SETTLED, f"{partition.path} was replaced while it was read.")

    def _find(self, partition: Partition, table: Table, address: str | None = None) -> _File:
        """Look at a partition's beginning: what it is, and how it is written."""
        blob = self._blob(partition.path, partition.snapshot)
        properties = blob.get_blob_properties()
        _check_plain(properties.content_settings.content_encoding)
        start = b""
        for length in (_START, LONGEST_LINE):
            if properties.size > len(start) and b"\n" not in start:
                start = blob.download_blob(offset=0, length=length, decompress=False).readall()
        whole = len(start) >= properties.size
        layout = layout_of(start, partition.dialect, table.columns, address, whole=whole)
        return _File(blob, str(properties.etag), properties.size, layout)

    def _rows(self, file: _File, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Return a partition's rows: block by block as long as they are regular, then carefully."""
        pattern = rows_of(file.layout.dialect, len(file.layout.names))

        def parse(block: bytes) -> tuple[bytes, bool, pl.DataFrame | None]:
            regular = is_regular(block, pattern)
            return block, regular, _parsed(block, file, wanted) if regular else None

        coming = in_order(parse, cut(_body(file), pattern))
        for block, regular, batch in coming:
            if batch is not None:
                yield batch
            elif regular:  # so it ends with a row
                yield from _carefully([block], file, wanted)
            else:
                yield from _carefully(chain([block], (later for later, *_ in coming)), file, wanted)

    def _blob(self, path: str, snapshot: str | None = None) -> BlobClient:
        return self._service.get_blob_client(self._container, path, snapshot=snapshot)

    @contextmanager
    def _named(self, path: str) -> Iterator[None]:
        """Turn what storage says no to into a reason that names the blob and what to check."""
        where = f"{self._container}/{path}"
        try:
            yield
        except NoToken as error:
            raise Transient(Reason.SOURCE_UNREACHABLE, f"{where} could not be read. {error.message}.") from None
        except Unreadable as what:
            raise ExportError(Reason.SOURCE_MALFORMED, f"{path} {what}.") from None
        except ResourceNotFoundError:
            raise ExportError(
                Reason.SOURCE_UNREACHABLE, f"{where} does not exist. Check CUSTOMER_INSIGHTS_PATH and the Blob export."
            ) from None
        except HttpResponseError as error:
            if error.status_code in _REPLACED:
                raise ExportError(Reason.SOURCE_NOT_SETTLED, f"{where} was replaced while it was read.") from None
            broke = isinstance(error.__context__, _BROKEN)
            said = error.status_code or ("only a part" if broke else type(error).__name__)
            raise (Transient if broke or error.status_code in _PASSING else ExportError)(
                Reason.SOURCE_UNREACHABLE, f"Storage answered {said} for {where}.{_what_to_mend(error)}"
            ) from None
        except AzureError as error:
            raise Transient(
                Reason.SOURCE_UNREACHABLE,
                f"Customer Insights' storage cannot be reached ({type(error).__name__}). Check CustomerInsightsStorage "
                "and the account's firewall.",
            ) from None


def _what_to_mend(error: HttpResponseError) -> str:
    """Say whether a role or the firewall is in the way, as far as storage says which."""
    role = " Give the app's identity the role Storage Blob Data Reader on that container."
    firewall = " Have the account's firewall let the app in (docs/deploy.md)."
    if error.status_code not in {401, 403}:
        return ""
    code = getattr(error, "error_code", None)
    if code == "AuthorizationPermissionMismatch":
        return role
    return firewall if code == "AuthorizationFailure" else role + firewall


def _check_plain(encoding: str | None) -> None:
    """Raise Unreadable for a blob that has to be unpacked: a small one may hold more than there is memory."""
    if (encoding or "").strip().lower() not in _PLAIN:
        raise Unreadable(f"is stored with the Content-Encoding {str(encoding)[:20]!r}, and nothing is unpacked here")


def _check_columns(layout: Layout, wanted: Sequence[str], path: str, address: str | None) -> None:
    """Raise unless the partition has each column once: of one that it lacks nothing is known, least that it is empty."""
    for name in wanted:
        count = layout.names.count(name)
        if count > 1:
            raise Unreadable(f"has {count} columns named {name!r}")
        if not count:
            raise ExportError(
                Reason.EMAIL_COLUMN_MISSING if name == address else Reason.COLUMN_MISSING,
                f"{path} has no column {name!r}, although model.json names it. Refresh the Blob export, so that all files "
                "of a segment have the same columns.",
            )


def _check_sound(file: _File, count: int, broken: int, *, cut_off: bool) -> None:
    """Raise Unreadable for a partition that was not understood as a whole, or ends before its last row does."""
    if broken * 2 > count:
        dialect, width = file.layout.dialect, len(file.layout.names)
        raise Unreadable(
            f"cannot be understood: of {count:,} rows {broken:,} are not {width:,} fields parted by {dialect.delimiter!r} in UTF-8"
        )
    if cut_off and file.tail != b"\n":
        raise Unreadable("ends in the middle of a row")


def _where(batch: pl.DataFrame, path: str, before: int) -> pl.Expr:
    """Name the place of the malformed rows: their number among the partition's rows, from 1, without a header."""
    if not batch[MALFORMED].any():
        return pl.lit(None, pl.String)
    place = pl.format("row {} of {}", pl.int_range(pl.len()) + before + 1, pl.lit(path))
    return pl.when(MALFORMED).then(place)


def _body(file: _File) -> Iterator[bytes]:
    """Return a partition's bytes from its first row on, fetched one piece ahead."""
    pieces = in_order(partial(_piece, file), range(0, file.size, PIECE))

    def noted(piece: bytes) -> bytes:
        file.tail[:] = piece[-1:] or file.tail
        return piece

    return map(noted, chain([next(pieces, b"")[file.layout.offset :]], pieces))


def _piece(file: _File, start: int) -> bytes:
    return bytes(file.blob.download_blob(offset=start, length=PIECE, decompress=False).readall())


def _parsed(block: bytes, file: _File, wanted: Sequence[str]) -> pl.DataFrame | None:
    """Parse a regular block; None if it could be read otherwise. All columns go by position, since names may be double."""
    dialect, names = file.layout.dialect, file.layout.names
    if block.startswith(codecs.BOM_UTF8):  # Polars would drop it, though it is the first value's: the file's own is off
        return None
    if is_doubtful(block, dialect):
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
    if may_swallow(block, dialect, len(names), table.height):
        return None
    if CUSTOMER_ID in wanted and _headers(table[str(names.index(CUSTOMER_ID))], names):
        return None
    too_long = table.select(pl.any_horizontal(pl.all().str.len_bytes() > LONGEST_VALUE).any()).item()
    return None if too_long else _named_columns(table, names, wanted)


def _headers(customers: pl.Series, names: Sequence[str]) -> bool:
    """Tell whether a CustomerId is the name of a column: then its row is a header, in whatever order."""
    known = pl.Series([plain(name) for name in names])
    return bool(customers.str.strip_chars(INVISIBLE).str.to_lowercase().is_in(known.implode()).any())


def _carefully(pieces: Iterable[bytes], file: _File, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Read rows one by one and mark those that are malformed."""
    names = file.layout.names
    places = [names.index(name) for name in wanted]
    own, known = wanted.index(CUSTOMER_ID) if CUSTOMER_ID in wanted else None, {*map(plain, names)}
    nothing: list[str | bool | None] = [True, *[None] * len(wanted)]
    held: list[list[str | bool | None]] = []
    weight = 0
    for row in rows(_text(pieces), file.layout.dialect, width=len(names)):
        values = [] if row.broken else [row.cells[place] for place in places]
        if values and own is not None and plain(values[own]) in known and names_most(row.cells, names):
            raise Unreadable("has a header among its rows, as if files had been joined")
        text = "".join(values)
        broken = (
            row.broken or UNDECODED in text or (len(text) > LONGEST_VALUE and max(map(len, values)) > LONGEST_VALUE)
        )
        held.append(nothing if broken else [False, *[value or None for value in values]])
        weight += len(text)
        if len(held) == BATCH or weight > HEAVIEST:
            yield _table(held, wanted)
            held, weight = [], 0
    if held:
        yield _table(held, wanted)


def _text(pieces: Iterable[bytes]) -> Iterator[str]:
    text = decoder()
    for piece in pieces:
        yield text.decode(piece)
    yield text.decode(b"", final=True)


def _named_columns(table: pl.DataFrame, names: Sequence[str], wanted: Sequence[str]) -> pl.DataFrame:
    """Return the asked columns by name, with MALFORMED beside them."""
    values = [pl.col(str(names.index(name))).replace("", None).alias(name) for name in wanted]
    return table.select(pl.repeat(value=False, n=pl.len(), dtype=pl.Boolean).alias(MALFORMED), *values)


def _table(held: list[list[str | bool | None]], wanted: Sequence[str]) -> pl.DataFrame:
    schema: dict[str, Any] = {MALFORMED: pl.Boolean} | dict.fromkeys(wanted, pl.String)
    return pl.DataFrame(held, schema=schema, orient="row")
