"""The adapter to Customer Insights' storage: the catalogue, and a table's rows, streamed and only the columns asked for.

Polars scans partitions straight from storage. Where a partition turns out not to be clean (a row with too few or too
many fields, a quote that makes no sense), the rest of it is read the careful way, row by row, and only the broken rows
are marked.
"""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import polars as pl
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient

from shared.domain.cleaning import MALFORMED, ROW
from shared.reasons import Reason, RunEnded
from shared.source.catalogue import Catalogue, Partition, Table, parse_model
from shared.source.dialect import LONGEST_ROW, check_encoding, header_of, rows

BATCH: Final = 50_000
"""Rows of a batch: enough to be quick, few enough to be small."""

HEAVIEST: Final = 1 << 25
"""Characters of a batch that is read carefully, whose rows may be long."""

_START: Final = 1 << 16
_SURPLUS: Final = "surplus"
_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Reach:
    """How Polars reaches the same account as the SDK: storage options, and a provider of tokens if there is no key."""

    options: Mapping[str, str]
    credentials: Callable[[], tuple[dict[str, str], int | None]] | None = None


@dataclass(frozen=True, slots=True)
class _File:
    """A partition as found: what it begins with, and the version that is read."""

    partition: Partition
    blob: BlobClient
    etag: str
    names: tuple[str, ...]
    has_header: bool


class CustomerInsights:
    """Reads the folder `path` (container/folder) that holds `model.json`. Raises RunEnded with what to do."""

    def __init__(self, service: BlobServiceClient, path: str, reach: Reach) -> None:
        self._service = service
        self._container, _, folder = path.partition("/")
        self._model = f"{folder}/model.json" if folder else "model.json"
        self._reach = reach

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
        return _File(partition, blob, str(properties.etag), header or table.columns, header is not None)

    def _rows(self, file: _File, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give a partition's rows: quickly as long as they are clean, then carefully."""
        given = 0
        try:
            for batch in self._scan(file):
                if not _is_clean(batch, width=len(file.names)):
                    break
                yield _named_columns(batch, file, wanted)
                given += batch.height
            else:
                return
        except pl.exceptions.ComputeError as error:
            if not _is_about_content(error):
                raise RunEnded(
                    Reason.SOURCE_UNREACHABLE, f"Reading {self._container}/{file.partition.path} broke off."
                ) from None
        yield from self._carefully(file, wanted, given)

    def _scan(self, file: _File) -> Iterator[pl.DataFrame]:
        """Scan a partition with Polars; a field too many shows in the surplus column, one too few leaves the last null.

        All columns are read as positions, since names may be double.
        """
        dialect = file.partition.dialect
        schema = {str(place): pl.String for place in range(len(file.names))} | {_SURPLUS: pl.String}
        options: dict[str, Any] = {
            "has_header": False,
            "skip_rows": int(file.has_header),
            "schema": schema,
            "separator": dialect.delimiter,
            "quote_char": dialect.quote,
            "encoding": "utf8-lossy",
            "missing_columns": "insert",
            "extra_columns": "ignore",
            "truncate_ragged_lines": True,
            "glob": False,
        }
        if file.partition.snapshot is None:
            url = f"az://{self._container}/{file.partition.path}"
            yield from _batches(
                pl.scan_csv(
                    url,
                    storage_options=dict(self._reach.options),
                    credential_provider=self._reach.credentials,
                    **options,
                )
            )
            return
        # Polars cannot name a snapshot: bring it here.
        with tempfile.NamedTemporaryFile(suffix=".csv") as copy:
            file.blob.download_blob().readinto(copy)
            copy.flush()
            yield from _batches(pl.scan_csv(copy.name, **options))

    def _carefully(self, file: _File, wanted: Sequence[str], skip: int) -> Iterator[pl.DataFrame]:
        """Read a partition row by row, from the row `skip` on, and mark those that are malformed."""
        width = len(file.names)
        places = [file.names.index(name) if name in file.names else width for name in wanted]
        held: list[list[str | bool | None]] = []
        weight = 0
        first = skip + int(file.has_header)
        for row in islice(rows(self._text(file), file.partition.dialect, width=width), first, None):
            values = [(row.cells[place] or None) if place < len(row.cells) else None for place in places]
            held.append([row.broken or any(value and _REPLACEMENT in value for value in values), *values])
            weight += sum(len(value) for value in values if value)
            if len(held) == BATCH or weight > HEAVIEST:
                yield _table(held, wanted)
                held, weight = [], 0
        if held:
            yield _table(held, wanted)

    def _text(self, file: _File) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        for piece in file.blob.download_blob().chunks():
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)

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
            hint = " Give the app's identity the role Storage Blob Data Reader." if error.status_code == 403 else ""
            raise RunEnded(
                Reason.SOURCE_UNREACHABLE, f"Storage answered {error.status_code} for {where}.{hint}"
            ) from None
        except AzureError as error:
            raise RunEnded(
                Reason.SOURCE_UNREACHABLE,
                f"Customer Insights' storage cannot be reached ({type(error).__name__}). Check CustomerInsightsStorage "
                "and the account's firewall.",
            ) from None


def _batches(scan: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    yield from scan.collect_batches(chunk_size=BATCH, maintain_order=True)


def _is_clean(batch: pl.DataFrame, *, width: int) -> bool:
    """Say whether every row has all its fields and no more, on one line, and is not over long.

    Polars drops quotes that make no sense, and so takes what stands between two of them, other rows too, for a field.
    """
    few, many = pl.col(str(width - 1)).is_null(), pl.col(_SURPLUS).is_not_null()
    several_lines = pl.any_horizontal(pl.all().str.contains("\n", literal=True))
    long = pl.sum_horizontal(pl.all().str.len_bytes()) > LONGEST_ROW
    return not batch.select((few | many | several_lines | long).any()).item()


def _is_about_content(error: pl.exceptions.ComputeError) -> bool:
    """Tell a partition that Polars cannot parse from one that it could not fetch."""
    text = str(error).lower()
    return "parse" in text or "csv" in text or "malformed" in text


def _named_columns(batch: pl.DataFrame, file: _File, wanted: Sequence[str]) -> pl.DataFrame:
    """Give the asked columns by name, with MALFORMED beside them."""
    values = [
        pl.col(str(file.names.index(name))).replace("", None).alias(name)
        if name in file.names
        else pl.lit(None, pl.String).alias(name)
        for name in wanted
    ]
    chosen = [pl.col(str(file.names.index(name))) for name in wanted if name in file.names]
    undecodable = [column.str.contains(_REPLACEMENT, literal=True).fill_null(value=False) for column in chosen]
    broken = pl.any_horizontal(pl.col(_SURPLUS).is_not_null(), *undecodable)
    return batch.select(broken.alias(MALFORMED), *values)


def _table(held: list[list[str | bool | None]], wanted: Sequence[str]) -> pl.DataFrame:
    schema: dict[str, Any] = {MALFORMED: pl.Boolean} | dict.fromkeys(wanted, pl.String)
    return pl.DataFrame(held, schema=schema, orient="row")
