"""What `model.json` declares of a column, in the words of the port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.sources.blob_export.tables import BlobTable, Dialect, Partition, declared, partitions_of, version_key
from shared.sources.source import Declared, Table


@pytest.mark.parametrize(
    ("data_type", "date_format", "said"),
    [
        ("string", None, Declared()),
        ("", "", Declared()),
        ("double", None, Declared(is_number=True)),
        ("Int64", None, Declared(is_number=True)),
        ("dateTime", None, Declared(usual_order="month_first")),
        ("string", "dd/MM/yyyy", Declared(order="day_first")),
        ("date", "MM/dd/yyyy", Declared(order="month_first", usual_order="month_first")),
        ("date", "yyyy-MM-dd", Declared(usual_order="month_first")),
        ("date", "MM/yyyy", Declared(usual_order="month_first")),
    ],
)
def test_types_and_formats_of_the_common_data_model(data_type: str, date_format: str | None, said: Declared) -> None:
    assert declared(data_type, date_format) == said


def test_a_table_of_another_source_is_refused() -> None:
    with pytest.raises(TypeError, match="'VIP' is no table of a Blob export"):
        partitions_of(Table(name="VIP", columns=("id",), key="id"))


def test_a_file_that_is_read_otherwise_is_another_version() -> None:
    """The same file under another model: with other columns, or with a header."""
    partition = Partition("VIP.csv", None, Dialect())
    table = BlobTable(name="VIP", columns=("CustomerId", "Email"), partitions=(partition,))
    known = version_key(table, partition, "etag")
    assert known == version_key(table, partition, "etag")
    others = {
        version_key(table, partition, "another"),
        version_key(replace(table, columns=("CustomerId",)), partition, "etag"),
        version_key(table, replace(partition, dialect=Dialect(header=True)), "etag"),
        version_key(table, replace(partition, path="b.csv"), "etag"),
    }
    assert len({known, *others}) == 5
