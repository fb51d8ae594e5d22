"""A Singer tap on Meltano's SDK: the segment's CSV as a stream of records.

Follows https://sdk.meltano.com/en/latest/dev_guide.html (a `Stream` with `get_records`) and, for its message writer,
https://sdk.meltano.com/en/latest/guides/performance.html. A segment has no column that says when a row changed, hence
no replication key: every run sends the full table, as "Incremental Replication" there says it must.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter

from bench.peers.segment import SEGMENT, contacts


class SegmentStream(Stream):
    """The segment's contacts."""

    name = "segment"
    primary_keys = ("Email",)
    replication_key = None
    schema = th.PropertiesList(
        th.Property("Email", th.StringType, required=True),
        th.Property("FirstName", th.StringType),
        th.Property("LastName", th.StringType),
        th.Property("MailingCity", th.StringType),
        th.Property("custom", th.ObjectType(additional_properties=True)),
    ).to_dict()

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Return the records."""
        # Standard output is the messages': what is left out is said on standard error.
        return contacts(SEGMENT, self.logger.warning)


class TapSegment(Tap):
    """The tap."""

    name = "tap-segment"
    config_jsonschema = th.PropertiesList().to_dict()
    message_writer_class = MsgSpecWriter

    def discover_streams(self) -> list[Stream]:
        """Return the one stream."""
        return [SegmentStream(tap=self)]


if __name__ == "__main__":
    TapSegment.cli()
