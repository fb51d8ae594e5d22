"""What is fuzzed: each target takes any bytes, and raises only if a parser broke its promise."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final
from unittest.mock import patch

import polars as pl

from export_trigger.http.access import PRINCIPAL, NotAllowed, Role, caller_of
from export_trigger.http.access import Caller as ApiCaller
from export_trigger.http.connect import ConnectionBody
from export_trigger.http.request import Call as ApiCall
from export_trigger.http.request import Problem
from shared.azure.records import NewerVersion
from shared.cleaning.addresses import normalise
from shared.cleaning.clean import clean
from shared.delivery.chunks import Operation, UnreadableChunk, decode, encode
from shared.delivery.errors import DestinationError
from shared.destinations.autopilot.account import seen_of
from shared.destinations.autopilot.answers import (
    Call,
    contact_ids,
    custom_field_types,
    list_ids,
    lists_of,
    new_list_id,
    page,
    read,
)
from shared.destinations.autopilot.fields import FIELDS
from shared.exports.configuration import ExportSettings
from shared.exports.schedule import check_cron, is_due
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.files import Damaged, parse_table, write_table
from shared.runs.work import ChunkWork, RunWork, read_work
from shared.sources.blob_export.model import parse_model
from shared.sources.blob_export.tables import Dialect, partitions_of
from shared.sources.source import KEY, MALFORMED, ROW, WHERE
from shared.state.digests import DigestKey
from shared.state.state import RECEIPTS, SCHEMA, Receipt, tabulate
from shared.verification.comparison import observe
from tests.cleaning.recipes import recipe_for
from tests.fuzz.decoder import Decoder
from tests.fuzz.partition import COLUMNS, careful, quick
from tests.sources.batches import batch

Target = Callable[[bytes], None]

_READERS: Final[Mapping[Call, Callable[[Any], object]]] = {
    Call.UPSERT: lambda content: contact_ids(content, {"a@example.com"}),
    Call.LISTS: list_ids,
    Call.CREATE_LIST: lambda content: new_list_id(content, "VIP"),
    Call.FIELDS: custom_field_types,
    Call.FIND: lambda content: lists_of(content, "person_1"),
}

_KEY: Final = DigestKey.new()
_DECODER: Final = Decoder()
_ANNA: Final = Operation(
    7, "c1", 0, None, 5, True, (0, 2), (1,), {"Email": "a@example.com", "custom": {"string--A": "b"}}
)
_LEAVER: Final = Operation(8, None, None, "person_8", None, False, (), (0,), None)
_STATUSES: Final = (200, 200, 200, 204, 400, 401, 403, 404, 408, 429, 500, 302)
_DIALECTS: Final = (Dialect(), Dialect(";"), Dialect("\t", None), Dialect(",", '"', header=True))
_RECIPE: Final = recipe_for(
    {
        "Email": "0",
        "FirstName": "1",
        "integer--Points": "1",
        "float--Score": "1",
        "date--Joined": "1",
        "boolean--Vip": "1",
    }
)


def answers(data: bytes) -> None:
    """Read any answer of Autopilot to every call, and keep what a page holds."""
    status = _STATUSES[data[0] % len(_STATUSES)] if data else 200
    headers = {"Retry-After": data[:9].decode("latin-1"), "Date": data[-29:].decode("latin-1")}
    for call in Call:
        with suppress(DestinationError):
            content = read(call, status, headers, data[1:])
            _promise(status in {200, 204})
            if call in _READERS:
                _READERS[call](content)
            if call is Call.MEMBERS:
                observe(
                    [seen_of(item) for item in page(content).contacts], ["FirstName", "integer--Points"], FIELDS, _KEY
                )


def models(data: bytes) -> None:
    """Read any model.json: tables and faults, each by its name, and no text that a terminal would obey."""
    try:
        found = parse_model(data, container="ci", etag="e")
    except ExportError as end:
        _promise(end.reason is Reason.SOURCE_MALFORMED and end.detail.isprintable())
        return
    _promise(not found.tables.keys() & found.faults.keys())
    _promise(all(fault and fault.isprintable() for fault in found.faults.values()))
    _promise(all(partitions_of(table) for table in found.tables.values()))


def tables(data: bytes) -> None:
    """Read any partition quickly and carefully: as many rows, and the sound ones the same, however the text is cut.

    A malformed row has no content.
    """
    dialect = _DIALECTS[data[0] % len(_DIALECTS)] if data else Dialect()
    try:
        found = quick(data[1:], dialect)
    except ExportError as end:
        _promise(end.reason in {Reason.SOURCE_MALFORMED, Reason.COLUMN_MISSING})
        return
    _promise(
        found.filter(MALFORMED).select(COLUMNS).null_count().sum_horizontal().item(0) == 3 * found[MALFORMED].sum()
    )
    _promise(found[MALFORMED].equals(found[WHERE].is_not_null().rename(MALFORMED)))
    _promise(found[ROW].to_list() == list(range(found.height)))
    for size in (1, 7, 1 << 20):
        read = careful(data[1:], dialect, size)
        _promise(isinstance(read, pl.DataFrame) and read.equals(found.drop(ROW, KEY, WHERE)))


def values(data: bytes) -> None:
    """Clean any text as an address and as a value of every type."""
    texts = data.decode("utf-8", errors="ignore").split("\n")
    rows = [*batched([*texts, *texts[: len(texts) % 2]], 2, strict=True)]
    cleaned = clean(batch(pl.DataFrame(rows, schema=dict.fromkeys(("0", "1"), pl.String), orient="row")), _RECIPE)
    _promise((cleaned["fields"].is_null() == cleaned["reason"].is_not_null()).all())
    for address in cleaned["email"].drop_nulls():
        _promise(normalise(address) == address)


def requests(data: bytes) -> None:
    """Read any bytes as a client principal, and as the bodies of an export and of a connection."""
    for header in (data.decode("latin-1"), base64.b64encode(data).decode()):
        with suppress(NotAllowed):
            caller_of({PRINCIPAL: header}, "entra")
    headers: Mapping[str, str] = {"content-type": "application/json"}
    for kind in (ExportSettings, ConnectionBody):
        try:
            ApiCall({}, {}, headers, data, ApiCaller("fuzz", Role.ADMIN)).read(kind)
        except Problem as problem:
            _promise(bool(problem.answer().content()))


def schedules(data: bytes) -> None:
    """Ask any cron expression that is taken whether it is due."""
    text = data.decode("utf-8", errors="ignore")
    try:
        check_cron(text)
    except ValueError:
        return
    now = datetime(2026, 3, 29, tzinfo=UTC)
    is_due(text, "Europe/Berlin", now - timedelta(days=1), now)


def chunks(data: bytes) -> None:
    """Read any bytes as a chunk: what is believed can be written again, and is the same."""
    try:
        found = decode(data, lists=8)
    except UnreadableChunk as refused:
        _promise(refused.__cause__ is None)
        return
    except NewerVersion:
        return
    _promise(decode(encode(found), lists=8) == found)


def stored(data: bytes) -> None:
    """Read any bytes as a stored state, and as the receipts of a chunk."""
    for schema in (SCHEMA, RECEIPTS):
        try:
            with patch("shared.runs.files.can_be_decoded", _DECODER.can_be_decoded):
                table, _ = parse_table("state/x", data, schema)
        except (Damaged, NewerVersion):
            continue
        _promise(schema.items() <= table.schema.items())


def messages(data: bytes) -> None:
    """Read any bytes as a queue message: what is believed has no line's end in it and names nothing outside its folder."""
    for kind in (RunWork, ChunkWork):
        work = read_work(data, kind)
        text = "" if work is None else "".join(work.model_dump().values())
        _promise(not set(text) & set("\r\n/\\. "))


def _promise(kept: bool) -> None:
    if not kept:
        raise AssertionError("a parser broke its promise")


TARGETS: Final[Mapping[str, tuple[Target, tuple[bytes, ...]]]] = {
    "answers": (
        answers,
        (
            b'\0{"lists":[{"list_id":"contactlist_1","title":"VIP"}]}',
            b'\0{"email_contact_map":{"a@example.com":"person_1"},"list_id":"contactlist_1"}',
            b'\0{"contacts":[{"Email":"a@example.com","contact_id":"person_1","custom_fields":[{"kind":"Points",'
            b'"fieldType":"integer","value":7,"deleted":false}]}],"bookmark":"b","total_contacts":1}',
        ),
    ),
    "models": (
        models,
        (
            b'{"entities":[{"$type":"LocalEntity","name":"VIP","attributes":[{"name":"CustomerId"}],"partitions":['
            b'{"location":"https://a/ci/2026/08/24/1433/a.csv?snapshot=s","refreshTime":"2026-01-01T00:00:00Z",'
            b'"fileFormatSettings":{"columnHeaders":"true","delimiter":";","quoteStyle":"QuoteStyle.None",'
            b'"encoding":"UTF-8"}}]}],"modifiedTime":"2026-01-01"}',
        ),
    ),
    "tables": (
        tables,
        (
            b"\0" + ",".join(COLUMNS).encode() + b'\n1,"A ""n"",\r\nn",a@x.de\r\n2,,\n9,few\n',
            b'\0id3,"C \\"D\\" E",c@x.de\n4,"F\nG",f@x.de\n5,H,h@x.de\n',
            b"\3\xef\xbb\xbf\n customerid , EMAIL,FirstName\n6,i@x.de,I\n\x1a",
        ),
    ),
    "values": (values, (b"a@example.com\n2014-05-25T01:02:03+02:00\nb@example.com\n12.0\nc@\n9/3/2014 1:02:03 PM",)),
    "requests": (
        requests,
        (
            b'{"claims":[{"typ":"roles","val":"Exports.Admin"},{"typ":"oid","val":"1"}]}',
            b'{"display_name":"x","connection":"main","mapping":{"Email":"Email","string--A":"B"},"segments":["VIP",'
            b'{"segment":"A","list":"B"}],"schedule":{"on":"cron","cron":"0 0 * * *","time_zone":"Europe/Berlin"},'
            b'"max_profiles":5,"leavers":"keep","guards":{"max_removed_percent":5}}',
            b'{"display_name":"x","api_key":"k","agree_to_privacy":true,"rate_limit":20,"list_strategy":"auto"}',
        ),
    ),
    "chunks": (chunks, (encode([_ANNA]), encode([_ANNA, _LEAVER]))),
    "stored": (
        stored,
        (write_table(pl.DataFrame(schema=SCHEMA)), write_table(tabulate([Receipt(1, "p", 1)], ()), ("l",))),
    ),
    "messages": (
        messages,
        (b'{"export":"e","run":"20260101t000000000-dead","chunk":"000001-1-abcdef01"}',),
    ),
    "schedules": (schedules, (b"0 0 29 2 *", b"*/5 1-4,7 L * MON#2", b"0 0 * JAN-DEC 5L")),
}
"""Each target, and what fuzzing begins with."""
