"""The catalogue: `model.json` (Common Data Model) and what it says of tables, columns and partitions. No SDK.

Rules and their evidence: reference/customer-insights section 3. Keys with a prefix and everything unknown are ignored.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from shared.reasons import Reason, RunEnded

CUSTOMER_ID: Final = "CustomerId"

_SNAPSHOT_FOLDER: Final = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{4})/[^/]*$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a partition is written, as far as `model.json` says; `header` is None where it does not."""

    delimiter: str = ","
    quote: str | None = '"'
    header: bool | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Partition:
    """One file of a table: its path in the container, and its snapshot if the location names one."""

    path: str
    snapshot: str | None
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, and its partitions in order.

    `data_types` are its columns' types and `date_formats` their own formats, as far as `model.json` says.
    """

    name: str
    columns: tuple[str, ...]
    partitions: tuple[Partition, ...]
    refreshed_at: datetime | None
    data_types: Mapping[str, str] = field(default_factory=dict)
    date_formats: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_profile_table(self) -> bool:
        """Whether it holds customer profiles, so that it can be exported."""
        return CUSTOMER_ID in self.columns


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What Customer Insights last wrote; `etag` tells one refresh from the next."""

    tables: Mapping[str, Table]
    modified_at: datetime | None
    etag: str

    def table(self, name: str) -> Table:
        """Give the segment's table; raises RunEnded SEGMENT_MISSING with near names, or SEGMENT_NOT_ELIGIBLE."""
        found = self.tables.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self.tables, n=3)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise RunEnded(Reason.SEGMENT_MISSING, f"Customer Insights' output has no segment {name!r}.{hint}")
        if not found.is_profile_table:
            raise RunEnded(Reason.SEGMENT_NOT_ELIGIBLE, f"Table {name!r} has no column {CUSTOMER_ID!r}.")
        return found


def parse_model(text: bytes, *, container: str, etag: str) -> Catalogue:
    """Read a `model.json`; raises RunEnded SOURCE_MALFORMED that says which part cannot be understood.

    Locations only name blobs of `container`; their host is never asked.
    """
    try:
        model = _Model.model_validate_json(text.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise RunEnded(
            Reason.SOURCE_MALFORMED, f"model.json cannot be understood at {where}: {first['msg']}."
        ) from None
    tables = {
        entity.name: _table(entity, model.modified, container)
        for entity in model.entities
        if entity.kind.lower() == "localentity"
    }
    return Catalogue(tables, model.modified, etag)


def _flag(value: object) -> object:
    """Read a flag that may be the text "false" (seen in the Common Data Model's own test data)."""
    return value.strip().lower() == "true" if isinstance(value, str) else value


def _moment(value: object) -> object:
    """Read a time; one that cannot be read is as good as none."""
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


def _delimiter(text: str) -> str:
    """Refuse what can part no fields: more than one byte, a quote, or what ends a line."""
    if len(text.encode()) != 1 or text in '"\r\n\0':
        raise ValueError("a delimiter is one ASCII character, neither a quote nor a line break")
    return text


def _location(text: str) -> str:
    """Refuse what is no URL."""
    try:
        urlsplit(text)
    except ValueError:
        raise ValueError("a location is a URL") from None
    return text


class _Format(_Part):
    header: Annotated[bool | None, BeforeValidator(_flag)] = Field(default=None, alias="columnHeaders")
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","
    quoting: str = Field(default="QuoteStyle.Csv", alias="quoteStyle")
    encoding: str = "UTF-8"


class _Partition(_Part):
    location: Annotated[str, AfterValidator(_location)] | None = None
    refreshed: Moment = Field(default=None, alias="refreshTime")
    settings: _Format | None = Field(default=None, alias="fileFormatSettings")


class _Attribute(_Part):
    name: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
    data_type: Any = Field(default="", alias="dataType")
    annotations: Any = ()

    @property
    def date_format(self) -> str | None:
        """The format that an annotation such as `ci:CustomDateFormat` gives."""
        for note in self.annotations if isinstance(self.annotations, list) else ():
            if isinstance(note, dict) and str(note.get("name")).lower().endswith("dateformat"):
                return str(note.get("value") or "")
        return None


class _Entity(_Part):
    kind: str = Field(alias="$type")
    name: str
    attributes: Sequence[_Attribute] = ()
    partitions: Annotated[Sequence[_Partition], BeforeValidator(lambda value: value or ())] = ()


class _Model(_Part):
    entities: Sequence[_Entity] = Field(validation_alias=AliasChoices("entities"))
    modified: Moment = Field(default=None, alias="modifiedTime")


def _table(entity: _Entity, modified: datetime | None, container: str) -> Table:
    stored = [partition for partition in entity.partitions if partition.location]
    newest = max((_snapshot_folder(str(partition.location)) for partition in stored), default="")
    current = [partition for partition in stored if _snapshot_folder(str(partition.location)) == newest]
    times = [partition.refreshed for partition in current if partition.refreshed]
    return Table(
        name=entity.name,
        columns=tuple(attribute.name for attribute in entity.attributes),
        partitions=tuple(_partition(partition, entity.name, container) for partition in current),
        refreshed_at=max(times, default=modified),
        data_types={attribute.name: str(attribute.data_type or "") for attribute in entity.attributes},
        date_formats={attribute.name: form for attribute in entity.attributes if (form := attribute.date_format)},
    )


def _snapshot_folder(location: str) -> str:
    """Give a location's snapshot folder as sortable text, `202008241433`; "" if it lies in none."""
    found = _SNAPSHOT_FOLDER.search(unquote(urlsplit(location).path))
    return "".join(found.groups()) if found else ""


def _partition(partition: _Partition, table: str, container: str) -> Partition:
    told = partition.settings
    dialect = Dialect()
    if told is not None:
        quote = None if told.quoting.lower().endswith("none") else '"'
        dialect = Dialect(told.delimiter, quote, told.header, told.encoding.lower())
    parts = urlsplit(str(partition.location))
    snapshot: Any = parse_qs(parts.query).get("snapshot", [None])[0]
    return Partition(_blob_path(parts.path, table, container), snapshot, dialect)


def _blob_path(path: str, table: str, container: str) -> str:
    """Give the path within `container`; the emulator's locations begin with the account's name."""
    segments = unquote(path).lstrip("/").split("/")
    for start in (0, 1):
        if len(segments) > start + 1 and segments[start].lower() == container.lower():
            inside = segments[start + 1 :]
            if ".." in inside or not any(inside):
                break
            return "/".join(inside)
    raise RunEnded(
        Reason.SOURCE_MALFORMED,
        f"A partition of {table!r} lies outside the container {container!r}. Correct CUSTOMER_INSIGHTS_PATH.",
    )
