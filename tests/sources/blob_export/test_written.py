"""When files were written and in which version, as storage says: one by one, or many by a listing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.customer_insights import MANY
from tests.sources.blob_export import memory
from tests.sources.blob_export.cases import HEADER, at, blobs, entity
from tests.sources.blob_export.export import COLUMNS, Source

NOW = datetime(2026, 11, 30, tzinfo=UTC)
FILES = [f"Export/VIP/{number}.csv" for number in range(MANY + 1)]


def row(number: int) -> bytes:
    return f"{number},Ann,p{number}@example.com\n".encode()


def settled(source: Source) -> str:
    """Return the version of the rows of the table, which is settled."""
    catalogue = source.reader.catalogue()
    return source.reader.verify_settled(catalogue, ["VIP"], now=datetime.now(UTC), quiet=timedelta.min)


@pytest.mark.parametrize("count", [1, MANY + 1])
def test_rows_have_another_version_as_soon_as_one_file_is_written_again(source: Source, count: int) -> None:
    places = [source.put(path, row(number)) for number, path in enumerate(FILES[:count])]
    source.model(*places)
    version = settled(source)
    assert source.read().height == count
    source.model(*places)
    assert settled(source) == version
    source.put(FILES[count - 1], row(count - 1))
    source.model(*places)
    assert settled(source) != version


def test_a_file_of_many_that_was_read_and_is_written_again_is_noticed_when_the_last_one_is_read(source: Source) -> None:
    source.model(*[source.put(path, row(number)) for number, path in enumerate(FILES)])
    batches = source.reader.read(source.reader.catalogue().table("VIP"), COLUMNS)
    assert next(batches)["CustomerId"].to_list() == ["0"]
    next(batches)
    source.put(FILES[0], row(0))
    with pytest.raises(ExportError, match=r"VIP/0\.csv was replaced") as caught:
        list(batches)
    assert caught.value.reason is Reason.SOURCE_NOT_SETTLED


def test_one_of_many_that_is_not_there_is_named(source: Source) -> None:
    places = [source.put(path, row(number)) for number, path in enumerate(FILES)]
    source.model(*places)
    source.container.delete_blob(FILES[2])
    with pytest.raises(ExportError, match=r"Export/VIP/2\.csv does not exist") as caught:
        settled(source)
    assert caught.value.reason is Reason.SOURCE_UNREACHABLE


def unlisted(answer: Exception) -> object:
    def walk(*_: object, **__: object) -> Iterator[object]:
        raise answer
        yield

    return walk


def test_files_are_looked_at_one_by_one_where_listing_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = blobs(entity("VIP", *map(at, FILES)))
    found |= {path: memory.Blob(HEADER.encode() + row(number)) for number, path in enumerate(FILES)}
    source = memory.source_of(found)
    catalogue = source.catalogue()

    def look() -> str:
        return source.verify_settled(catalogue, ["VIP"], now=NOW, quiet=timedelta(hours=1))

    listed = look()
    refused = HttpResponseError("refused")
    refused.status_code = 403
    monkeypatch.setattr(memory._Container, "walk_blobs", unlisted(refused))
    assert look() == listed
    found[FILES[0]] = replace(found[FILES[0]], modified=NOW - timedelta(hours=2))
    with pytest.raises(ExportError, match="they are of two refreshes"):
        look()
    monkeypatch.setattr(memory._Container, "walk_blobs", unlisted(ServiceRequestError("down")))
    with pytest.raises(ExportError) as caught:
        look()
    assert (caught.value.reason, caught.value.may_pass) == (Reason.SOURCE_UNREACHABLE, True)
