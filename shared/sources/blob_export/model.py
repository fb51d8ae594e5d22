"""`model.json` (Common Data Model), read: a catalogue of its tables, each understood or at fault by itself. No SDK.

The rules are the Common Data Model's; what Customer Insights really writes is not documented, so where a rule leaves two
readings the table is at fault. Keys with a prefix and everything unknown are ignored, and null is the default.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

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

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.locations import Fault, Place, blob_of, newest_of, shared_files
from shared.sources.blob_export.loosely import read
from shared.sources.blob_export.members import repeated_members
from shared.sources.blob_export.tables import TITLE, BlobTable, Dialect, Partition, declared
from shared.sources.source import Catalogue

MOST_BYTES: Final = 1 << 24
"""Bytes of a `model.json`: some twenty thousand partitions, or a hundred thousand columns."""

MOST_COLUMNS: Final = 4_000
"""Columns of a table, and fields of a row: more than a table of Customer Insights has, as many as can be proved quickly."""

MOST_PARTITIONS: Final = 10_000
LONGEST_NAME: Final = 1_000
"""Characters of a table's or a column's name."""

_UTF8: Final = {"utf8", "utf8sig", "utf8bom", "cp65001", "65001", "ascii", "usascii", "ansix3.41968", "20127"}
"""What says that a file is UTF-8, without what parts words: ASCII is, too."""

_Fields = Mapping[str, Any]


def parse_model(text: bytes, *, container: str, etag: str) -> Catalogue:
    """Read a `model.json`; raises ExportError SOURCE_MALFORMED if it is none, or too large.

    Locations only name blobs of `container`; their host is never asked.
    """
    if len(text) > MOST_BYTES:
        raise too_large()
    content = text.removeprefix(b"\xef\xbb\xbf")
    try:
        model = read(_Model, content)
        repeated = repeated_members(content)
    except ValidationError as error:
        raise ExportError(Reason.SOURCE_MALFORMED, f"model.json cannot be understood{_first(error)}") from None
    for member in ("entities", "modifiedTime"):
        if member in repeated.whole:
            raise ExportError(Reason.SOURCE_MALFORMED, f"model.json has {_twice(member)}")
    found: dict[str, list[BlobTable | str]] = defaultdict(list)
    for number, entity in enumerate(model.entities, start=1):
        fields = entity if isinstance(entity, dict) else {}
        if str(fields.get("$type")).lower() != "referenceentity":  # which another model describes
            name, twice = _name_of(fields, number), repeated.tables.get(number - 1)
            fault = None if twice is None else f"In model.json table {name!r} has {_twice(twice)}"
            found[name].append(fault or _understood(fields, name, model.modified, container))
    return _catalogue(found, model.modified, etag)


def _catalogue(found: Mapping[str, Sequence[BlobTable | str]], modified: datetime | None, etag: str) -> Catalogue:
    """Return the tables that are understood, and the others with their faults: those that name one file are, too."""
    understood = [table for several in found.values() for table in several if isinstance(table, BlobTable)]
    faults = shared_files(understood, found)
    tables: dict[str, BlobTable] = {}
    for name, (first, *more) in found.items():
        if more:
            faults[name] = f"model.json names table {name!r} {1 + len(more)} times. Run the Blob export again."
        elif isinstance(first, str):
            faults[name] = first
        elif name not in faults:
            tables[name] = first
    return Catalogue(tables, modified, etag, faults, TITLE)


def _twice(member: str) -> str:
    return f"the member {member[:40]!r} twice. Run the Blob export again."


def too_large() -> ExportError:
    """Return the end of a run whose `model.json` is too large to be read."""
    return ExportError(
        Reason.SOURCE_MALFORMED,
        f"model.json has more than {MOST_BYTES:,} bytes. Export fewer tables, or have the Blob export write it again.",
    )


def _name_of(entity: _Fields, number: int) -> str:
    """Return what a table is called, or what to call one without a usable name."""
    name = entity.get("name")
    if not isinstance(name, str) or not name:
        return f"table {number} of model.json"
    return name if len(name) <= LONGEST_NAME else f"{name[:80]}…"


def _understood(entity: _Fields, name: str, modified: datetime | None, container: str) -> BlobTable | str:
    """Return a table, or why what is called `name` cannot be understood."""
    try:
        return _table(_Entity.model_validate(entity), modified, container)
    except ValidationError as error:
        return f"In model.json table {name!r} cannot be understood{_first(error)}"
    except Fault as fault:
        return f"{fault}"


def _first(error: ValidationError) -> str:
    """Return where the first error is, if it is not the whole of it, and what."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place and f' at {place}'}: {first['msg'].removeprefix('Value error, ')}."


def _flag(value: object) -> object:
    """Read a flag that may be the text "false" (seen in the Common Data Model's own test data); any other text says nothing."""
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else value


def _moment(value: object) -> object:
    """Read a time; one that cannot be read is as good as none."""
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


def _or_default(default: str, *unset: str) -> BeforeValidator:
    """Read null, which serialisers write for what is not set, as the default, and what else is `unset`."""
    return BeforeValidator(lambda value: default if value is None or value in unset else value)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


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


def _csv(text: str) -> str:
    if text != "CsvFormatSettings":
        raise ValueError("only CSV files are read, as the Blob export writes them")
    return text


def _quoting(text: str) -> str:
    style = text.strip().lower().removeprefix("quotestyle.")
    if style not in {"csv", "none"}:
        raise ValueError("a quote style is QuoteStyle.Csv or QuoteStyle.None")
    return style


def _encoding(text: str) -> str:
    if re.sub(r"[\s_-]", "", text).lower() not in _UTF8:
        raise ValueError(f"the encoding is {text[:40]!r}, and only UTF-8 is read. Export the segments as UTF-8")
    return text


_code_page: Final = BeforeValidator(lambda value: str(value) if type(value) is int else value)


class _Format(_Part):
    kind: Annotated[str, _or_default("CsvFormatSettings", ""), AfterValidator(_csv)] = Field(
        default="CsvFormatSettings", alias="$type"
    )
    header: Annotated[bool | None, BeforeValidator(_flag)] = Field(default=None, alias="columnHeaders")
    delimiter: Annotated[str, _or_default(","), AfterValidator(_delimiter)] = ","
    quoting: Annotated[str, _or_default("csv", ""), AfterValidator(_quoting)] = Field(default="csv", alias="quoteStyle")
    encoding: Annotated[str, _or_default("UTF-8", ""), _code_page, AfterValidator(_encoding)] = "UTF-8"


class _Partition(_Part):
    location: Annotated[str, AfterValidator(_location)] | None = None
    refreshed: Moment = Field(default=None, alias="refreshTime")
    settings: _Format | None = Field(default=None, alias="fileFormatSettings")


class _Attribute(_Part):
    name: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=LONGEST_NAME)]
    data_type: Any = Field(default="", alias="dataType")
    annotations: Any = ()

    @property
    def date_format(self) -> str | None:
        """The format that an annotation such as `ci:CustomDateFormat` gives."""
        for note in self.annotations if isinstance(self.annotations, list) else ():
            if isinstance(note, dict) and str(note.get("name")).lower().endswith("dateformat"):
                return str(note.get("value") or "")
        return None


def _local(text: str) -> str:
    if text.lower() != "localentity":
        raise ValueError("a table is a LocalEntity")
    return text


class _Entity(_Part):
    kind: Annotated[str, AfterValidator(_local)] = Field(alias="$type")
    name: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
    attributes: Annotated[Sequence[_Attribute], Field(max_length=MOST_COLUMNS), BeforeValidator(lambda v: v or ())] = ()
    partitions: Annotated[
        Sequence[_Partition], Field(max_length=MOST_PARTITIONS), BeforeValidator(lambda v: v or ())
    ] = ()


class _Model(_Part):
    entities: Sequence[Any] = Field(validation_alias=AliasChoices("entities"))
    modified: Moment = Field(default=None, alias="modifiedTime")


def _table(entity: _Entity, modified: datetime | None, container: str) -> BlobTable:
    if not entity.partitions:  # a segment without members has a file without rows; this one has never been written
        raise Fault(f"model.json names no file of table {entity.name!r}. Run the Blob export again.")
    for number, partition in enumerate(entity.partitions, start=1):
        if not partition.location:
            raise Fault(f"Partition {number} of table {entity.name!r} has no location. Run the Blob export again.")
    places = [Place(str(partition.location), partition.refreshed) for partition in entity.partitions]
    current = [entity.partitions[number] for number in newest_of(entity.name, places)]
    partitions = tuple(_partition(partition, entity.name, container) for partition in current)
    if len({partition.path for partition in partitions}) < len(partitions):  # in two versions, too
        raise Fault(f"model.json names a file of table {entity.name!r} twice. Run the Blob export again.")
    times = [partition.refreshed for partition in current if partition.refreshed]
    return BlobTable(
        name=entity.name,
        columns=tuple(attribute.name for attribute in entity.attributes),
        partitions=partitions,
        refreshed_at=max(times, default=modified),
        declared={
            attribute.name: declared(str(attribute.data_type or ""), attribute.date_format)
            for attribute in entity.attributes
        },
    )


def _partition(partition: _Partition, table: str, container: str) -> Partition:
    told = partition.settings
    dialect = Dialect(told.delimiter, None if told.quoting == "none" else '"', told.header) if told else Dialect()
    path, snapshot = blob_of(str(partition.location), table, container)
    return Partition(path, snapshot, dialect)
