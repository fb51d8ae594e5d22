"""The adapter to Customer Insights' storage: the catalogue, and a table's rows, streamed and only the columns asked for.

Polars parses blocks that are proved to be regular (`shared.source.blocks`). Where one is not (a row with too few or too
many fields, a quote that makes no sense), the rest of its partition is read the careful way, row by row, and only the
broken rows are marked.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any, Final

import polars as pl
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient

from shared.ahead import in_order
from shared.domain.cleaning import MALFORMED, ROW
from shared.reasons import Reason, RunEnded
from shared.source.blocks import cut, is_regular, rows_of
from shared.source.catalogue import Catalogue, Dialect, Partition, Table, parse_model
from shared.source.dialect import LONGEST_ROW, check_encoding, header_of, rows

BATCH: Final = 50_000
"""Rows of a batch that is read carefully: enough to be quick, few enough to be small."""

HEAVIEST: Final = 1 << 25
"""Characters of a batch that is read carefully, whose rows may be long."""

PIECE: Final = 1 << 23
"""Bytes that are fetched in one request."""

MOST_FOLDERS: Final = 50
MOST_LISTED: Final = 50_000
"""Folders of one table that are listed, and blobs of each, to see which version of its partitions there is."""

_START: Final = 1 << 16
_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class _File:
    """A partition as found: what it begins with, and the version that is read."""

    partition: Partition
    blob: BlobClient
    etag: str
    size: int
    names: tuple[str, ...]
    has_header: bool


class CustomerInsights:
    """Reads the folder `path` (container/folder) that holds `model.json`. Raises RunEnded with what to do."""

    def __init__(self, service: BlobServiceClient, path: str) -> None:
        self._service = service
        self._container, _, folder = path.partition("/")
        self._model = f"{folder}/model.json" if folder else "model.json"

    def catalogue(self) -> Catalogue:
        """Read `model.json`."""
        with self._named(self._model):
            stream = self._blob(self._model).download_blob()
            text, etag = stream.readall(), str(stream.properties.etag)
        return parse_model(text, container=self._container, etag=etag)

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> None:
        """Raise RunEnded SOURCE_NOT_SETTLED while Customer Insights is, or may be, still writing.

        That is: `model.json` has changed since, is younger than `quiet`, or names a partition that is not there.
        """
        with self._named(self._model):
            properties = self._blob(self._model).get_blob_properties()
        if properties.etag != catalogue.etag:
            raise RunEnded(Reason.SOURCE_NOT_SETTLED, "model.json changed while it was read.")
        young = now - properties.last_modified < quiet
        if young:
            raise RunEnded(Reason.SOURCE_NOT_SETTLED, f"model.json is younger than {quiet.total_seconds():g} seconds.")
        for name in names:
            for partition in catalogue.table(name).partitions:
                with self._named(partition.path):
                    self._blob(partition.path, partition.snapshot).get_blob_properties()

    def count(self, table: Table) -> int:
        """Count a table's rows."""
        return sum(batch.height for batch in self.read(table, table.columns[:1]))

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

    def read(self, table: Table, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give the table's rows in batches, in the order of partitions and rows, the same each time.

        Columns: ROW (UInt64, from 0), MALFORMED (Boolean), and those asked for, as String, null for empty. Raises
        RunEnded SOURCE_NOT_SETTLED if a partition was replaced meanwhile.
        """
        wanted = list(dict.fromkeys(columns))
        row = 0
        for partition in table.partitions:
            with self._named(partition.path):
                file = self._find(partition, table)
                for batch in self._rows(file, wanted):
                    yield batch.with_columns((pl.int_range(pl.len(), dtype=pl.UInt64) + row).alias(ROW))
                    row += batch.height
                if str(file.blob.get_blob_properties().etag) != file.etag:
                    raise RunEnded(Reason.SOURCE_NOT_SETTLED, f"{partition.path} was replaced while it was read.")

    def _find(self, partition: Partition, table: Table) -> _File:
        """Look at a partition's beginning: encoding, header, and how wide its rows are."""
        blob = self._blob(partition.path, partition.snapshot)
        properties = blob.get_blob_properties()
        start = blob.download_blob(offset=0, length=_START).readall() if properties.size else b""
        check_encoding(start, partition.dialect, partition.path)
        if properties.size > len(start):
            start = start[: start.rfind(b"\n") + 1]  # a row that goes on beyond the beginning would be half a header
        header = header_of(start, partition.dialect, table.columns)
        return _File(
            partition, blob, str(properties.etag), properties.size, header or table.columns, header is not None
        )

    def _rows(self, file: _File, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give a partition's rows: block by block as long as they are regular, then carefully."""
        pattern = rows_of(file.partition.dialect, len(file.names))

        def parse(block: bytes) -> tuple[bytes, pl.DataFrame | None]:
            return block, _parsed(block, file, wanted) if is_regular(block, pattern) else None

        coming = in_order(parse, cut(_body(file), pattern))
        for block, batch in coming:
            if batch is None:
                yield from _carefully(chain([block], (later for later, _ in coming)), file, wanted)
            else:
                yield batch

    def _blob(self, path: str, snapshot: str | None = None) -> BlobClient:
        return self._service.get_blob_client(self._container, path, snapshot=snapshot)

    @contextmanager
    def _named(self, path: str) -> Iterator[None]:
        """Turn what storage says no to into a reason that names the blob and what to check."""
        where = f"{self._container}/{path}"
        try:
            yield
        except ResourceNotFoundError:
            raise RunEnded(
                Reason.SOURCE_UNREACHABLE, f"{where} does not exist. Check CUSTOMER_INSIGHTS_PATH and the Blob export."
            ) from None
        except HttpResponseError as error:
            said = error.status_code or type(error).__name__
            raise RunEnded(
                Reason.SOURCE_UNREACHABLE, f"Storage answered {said} for {where}.{_what_to_mend(error)}"
            ) from None
        except AzureError as error:
            raise RunEnded(
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


def _body(file: _File) -> Iterator[bytes]:
    """Give a partition's bytes without byte-order mark and header, fetched one piece ahead."""
    pieces = in_order(partial(_piece, file), range(0, file.size, PIECE))
    first = next(pieces, b"").removeprefix(codecs.BOM_UTF8)
    if file.has_header:
        *_, first = _after_header(first, file.partition.dialect)
    return chain([first], pieces)


def _after_header(start: bytes, dialect: Dialect) -> tuple[bytes, bytes]:
    """Part the header from what follows it: it ends with the first line feed outside quotes."""
    quote = (dialect.quote or "").encode()
    end = start.find(b"\n") + 1
    while quote and end and start[:end].count(quote) % 2:
        end = start.find(b"\n", end) + 1
    return (start[:end], start[end:]) if end else (start, b"")


def _piece(file: _File, start: int) -> bytes:
    return bytes(file.blob.download_blob(offset=start, length=PIECE).readall())


def _parsed(block: bytes, file: _File, wanted: Sequence[str]) -> pl.DataFrame | None:
    """Parse a regular block; None if Polars sees it otherwise. All columns go by position, since names may be double."""
    if block.startswith(codecs.BOM_UTF8):  # Polars would drop it, though it is the first value's: the file's own is off
        return None
    places = sorted({file.names.index(name) for name in wanted if name in file.names} | {len(file.names) - 1})
    try:
        table = pl.read_csv(
            block,
            has_header=False,
            columns=places,
            schema={str(place): pl.String for place in range(len(file.names))},
            separator=file.partition.dialect.delimiter,
            quote_char=file.partition.dialect.quote,
        )
    except pl.exceptions.PolarsError:
        return None
    too_long = table.select(pl.any_horizontal(pl.all().str.len_bytes() > LONGEST_ROW).any()).item()
    return None if too_long else _named_columns(table, file, wanted)


def _carefully(pieces: Iterable[bytes], file: _File, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Read rows one by one and mark those that are malformed."""
    width = len(file.names)
    places = [file.names.index(name) if name in file.names else width for name in wanted]
    held: list[list[str | bool | None]] = []
    weight = 0
    for row in rows(_text(pieces), file.partition.dialect, width=width):
        values = [(row.cells[place] or None) if place < len(row.cells) else None for place in places]
        held.append([row.broken or any(value and _REPLACEMENT in value for value in values), *values])
        weight += sum(len(value) for value in values if value)
        if len(held) == BATCH or weight > HEAVIEST:
            yield _table(held, wanted)
            held, weight = [], 0
    if held:
        yield _table(held, wanted)


def _text(pieces: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _named_columns(table: pl.DataFrame, file: _File, wanted: Sequence[str]) -> pl.DataFrame:
    """Give the asked columns by name, with MALFORMED beside them."""
    known = {name: pl.col(str(file.names.index(name))) for name in wanted if name in file.names}
    undecodable = [column.str.contains(_REPLACEMENT, literal=True).fill_null(value=False) for column in known.values()]
    values = [
        (known[name].replace("", None) if name in known else pl.lit(None, pl.String)).alias(name) for name in wanted
    ]
    return table.select(pl.any_horizontal(pl.lit(value=False), *undecodable).alias(MALFORMED), *values)


def _table(held: list[list[str | bool | None]], wanted: Sequence[str]) -> pl.DataFrame:
    schema: dict[str, Any] = {MALFORMED: pl.Boolean} | dict.fromkeys(wanted, pl.String)
    return pl.DataFrame(held, schema=schema, orient="row")
