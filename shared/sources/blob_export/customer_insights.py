"""Customer Insights' Blob export as a source: the catalogue, and a table's rows, streamed and only the columns asked for.

What a partition is, its beginning says (`shared.sources.blob_export.evidence`); how its rows are read stands in
`shared.sources.blob_export.partition`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import polars as pl
from azure.storage.blob import BlobClient, BlobProperties, BlobServiceClient

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.faults import named
from shared.sources.blob_export.model import MOST_BYTES, parse_model, too_large
from shared.sources.blob_export.partition import (
    PartitionFile,
    check_columns,
    check_plain,
    check_sound,
    find,
    rows_of_file,
)
from shared.sources.blob_export.siblings import ReadFile, check_siblings
from shared.sources.blob_export.tables import CUSTOMER_ID, Partition, partitions_of, version_key
from shared.sources.blob_export.written import Written, bare, check_settled, version_of
from shared.sources.source import KEY, MALFORMED, ROW, TRACES, WHERE, Catalogue, Part, Table

MOST_FOLDERS: Final = 50
MOST_LISTED: Final = 50_000
"""Folders of one table that are listed, and blobs of each, to see which version of its partitions there is."""

MANY: Final = 4
"""Partitions in one folder from which on a listing takes fewer calls than to look at each."""


class CustomerInsights:
    """Reads the folder `path` (container/folder) that holds `model.json`. Raises ExportError with what to do."""

    def __init__(self, service: BlobServiceClient, path: str) -> None:
        self._service = service
        self._container, _, folder = path.partition("/")
        self._model = f"{folder}/model.json" if folder else "model.json"

    def catalogue(self) -> Catalogue:
        """Read `model.json`."""
        with self._reading(self._model):
            stream = self._blob(self._model).download_blob(offset=0, length=MOST_BYTES + 1, decompress=False)
            check_plain(stream.properties.content_settings.content_encoding)
            if stream.properties.size > MOST_BYTES:
                raise too_large()
            text, etag = stream.readall(), str(stream.properties.etag)
        return parse_model(text, container=self._container, etag=etag)

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> str:
        """Raise ExportError SOURCE_NOT_SETTLED while Customer Insights is, or may be, still writing.

        That is: `model.json` has changed since, it or a partition is younger than `quiet`, or the partitions are of two
        refreshes. A snapshot cannot be written again, so it only has to be there.
        """
        model = self._look(self._model)
        if model.etag != bare(catalogue.version):
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "model.json changed while it was read.")
        partitions = [partition for name in names for partition in partitions_of(catalogue.table(name))]
        files = self._written(partitions)
        check_settled(model, files, now=now, quiet=quiet)
        return version_of(files)

    def parts(self, table: Table) -> Sequence[Part]:
        """Return the table's partitions, each with its snapshot or its ETag as far as some listings say."""
        partitions = partitions_of(table)
        listed = self._listed({partition.path for partition in partitions if partition.snapshot is None})
        etags = {path: blob.etag for path, blob in listed.items()}
        versions = [partition.snapshot or etags.get(partition.path) for partition in partitions]
        return [
            Part(number, version_key(table, partition, version) if version else None)
            for number, (partition, version) in enumerate(zip(partitions, versions, strict=True))
        ]

    def count(self, table: Table, part: Part) -> Iterator[int]:
        """Count the rows of a partition, block by block."""
        for batch in self._read(table, partitions_of(table)[part.number : part.number + 1], [], None):
            yield batch.height

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        """Return the table's rows in batches, all values as String, in the order of partitions and rows."""
        return self._read(table, partitions_of(table), columns, address)

    def _read(
        self, table: Table, partitions: Sequence[Partition], columns: Sequence[str], address: str | None
    ) -> Iterator[pl.DataFrame]:
        asked = list(dict.fromkeys(columns))
        wanted = list(dict.fromkeys([CUSTOMER_ID, *asked]))
        row = 0
        etags: dict[str, str] = {}
        files: list[ReadFile] = []
        for partition in partitions:
            with self._reading(partition.path):
                file = self.find(table, partition, address)
                check_columns(file.layout, wanted, partition.path, address)
                first, broken, cut_off = row, 0, False
                for batch in rows_of_file(file, wanted):
                    yield batch.select_seq(
                        pl.int_range(row, row + batch.height, dtype=pl.UInt64).alias(ROW),
                        pl.col(CUSTOMER_ID).alias(KEY),
                        MALFORMED,
                        _where(batch, partition.path, row - first).alias(WHERE),
                        *TRACES,
                        *asked,
                    )
                    row += batch.height
                    broken += int(batch[MALFORMED].sum())
                    cut_off = batch[MALFORMED][-1]
                check_sound(file, row - first, broken, cut_off=cut_off)
            etags[partition.path] = file.etag
            files.append(_read_file(partition.path, file, row - first, table))
        for now in self._written([partition for partition in partitions if partition.snapshot is None]):
            if now.etag != etags[now.path]:
                raise ExportError(Reason.SOURCE_NOT_SETTLED, f"{now.path} was replaced while the table was read.")
        check_siblings(table.name, files)

    def find(self, table: Table, partition: Partition, address: str | None = None) -> PartitionFile:
        """Look at a partition's beginning: what it is, and how it is written. Raise Unreadable."""
        return find(self._blob(partition.path, partition.snapshot), partition, table.columns, address)

    def _written(self, partitions: Iterable[Partition]) -> list[Written]:
        """Return how partitions are written now; a snapshot only has to be there. Raise SOURCE_UNREACHABLE for one that is not.

        Many in one folder take a listing instead of a call each, where listing is allowed.
        """
        live = []
        for partition in partitions:
            if partition.snapshot is None:
                live.append(partition.path)
            else:
                self._look(partition.path, partition.snapshot)
        beside = Counter(map(_folder, live))
        try:
            listed = self._listed([path for path in live if beside[_folder(path)] >= MANY])
        except ExportError as end:
            if end.may_pass:
                raise
            listed = {}
        return [listed.get(path) or self._look(path) for path in live]

    def _look(self, path: str, snapshot: str | None = None) -> Written:
        with self._reading(path):
            properties = self._blob(path, snapshot).get_blob_properties()
        return Written(path, bare(properties.etag), properties.last_modified)

    def _listed(self, paths: Collection[str]) -> dict[str, Written]:
        """Return blobs by path, as far as some listings say: a call for 5,000 of them."""
        wanted = set(paths)
        client = self._service.get_container_client(self._container)
        found: dict[str, Written] = {}
        for folder in sorted(set(map(_folder, wanted)))[:MOST_FOLDERS]:
            with self._reading(folder):
                listed = client.walk_blobs(name_starts_with=f"{folder}/" if folder else None, delimiter="/")
                for blob in islice(listed, MOST_LISTED):
                    if isinstance(blob, BlobProperties) and blob.name in wanted:
                        found[blob.name] = Written(blob.name, bare(blob.etag), blob.last_modified)
        return found

    def _blob(self, path: str, snapshot: str | None = None) -> BlobClient:
        return self._service.get_blob_client(self._container, path, snapshot=snapshot)

    def _reading(self, path: str) -> AbstractContextManager[None]:
        return named(self._container, path)


def _read_file(path: str, file: PartitionFile, rows: int, table: Table) -> ReadFile:
    layout = file.layout
    as_told = layout.names == tuple(table.columns)
    return ReadFile(path, rows, layout.has_header, layout.is_blank, as_told, file.ends_with_a_line)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _where(batch: pl.DataFrame, path: str, before: int) -> pl.Expr:
    """Name the place of the malformed rows: their number among the partition's rows, from 1, without a header."""
    if not batch[MALFORMED].any():
        return pl.lit(None, pl.String)
    place = pl.format("row {} of {}", pl.int_range(pl.len()) + before + 1, pl.lit(path))
    return pl.when(MALFORMED).then(place)
