"""The law of the source: however a table is published, its people are read, or counted as unread, or the run ends by name.

Nobody is missing without a malformed row that may be theirs, no value is another one or empty, and nothing but the source's
own reasons is raised. So a run of an export that has delivered everybody never removes or erases anything.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import polars as pl
import pytest
from azure.storage.blob import ContentSettings
from hypothesis import given, settings
from hypothesis import strategies as st

import shared.planning.survey
import shared.sources.blob_export.partition
from local.azurite import Azurite
from shared.delivery.chunks import decode
from shared.planning.plan import chunks, plan
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.source import MALFORMED, SourceSegment
from shared.state.digests import DigestKey
from shared.state.state import Receipt, State, merge, tabulate
from tests.cleaning.recipes import recipe_for
from tests.sources.blob_export.memory import Blob, source_of
from tests.sources.blob_export.test_customer_insights import Source

COLUMNS: Final = ("CustomerId", "FirstName", "City", "Email")
WANTED: Final = ("CustomerId", "FirstName", "Email")
NAMED: Final = {Reason.SOURCE_MALFORMED, Reason.COLUMN_MISSING, Reason.EMAIL_COLUMN_MISSING}

Row = tuple[str, ...]
Found = tuple[str | None, ...]

_NAMES: Final = (
    "Ann",
    "Bo, the",
    'Cy "C" Lee',
    "Dé",
    "",
    "Eve\nLee",
    "Fay\r\nRoe",
    'G"',
    '"Hal',
    "Email",
    "7",
    "Лев",
    "I;J",
    "K\tL",
    "\ufffd",
    "C:\\",
    'M\\"',
    "=1",
    "Nan\u00a0O",
    "CustomerId",
    "a,b\nc,d,e,f",
)
_DOUBTFUL: Final = {"CustomerId", "a,b\nc,d,e,f", 'M\\"'}
"""A value that is a header's, one that could be two rows, and one that Spark's quoting leaves open."""

_CITIES: Final = ("Rome", "", "St. Ives, Cambs", "Köln\nSüd", "Email", 'The "Hague"', "x@y.example.com", "1;2", "-")


@dataclass(frozen=True)
class Way:
    """How a partition is written, and what model.json says of it."""

    header: str = "right"
    order: str = "model"
    delimiter: str = ","
    quoting: str = "minimal"
    ends: str = "\n"
    last_end: bool = True
    blanks: str = "none"
    encoding: str = "utf-8"
    packed: str = "none"
    content_encoding: str | None = None
    told: tuple[tuple[str, Any], ...] | None = None


HARMLESS: Final[Mapping[str, Sequence[Any]]] = {
    "header": ("right", "none", "lower", "upper", "blank", "invisible", "quoted"),
    "order": ("model",),
    "delimiter": (",",),
    "quoting": ("minimal", "all", "spark"),
    "ends": ("\n", "\r\n"),
    "last_end": (True, False),
    "blanks": ("none", "before", "between", "after", "spaces"),
    "encoding": ("utf-8", "utf-8-sig"),
    "packed": ("none",),
    "content_encoding": (None, "", "identity"),
}
"""Ways that are all read to the last row."""

ODD: Final[Mapping[str, Sequence[Any]]] = {
    "header": (
        "no city",
        "no name",
        "no email",
        "no id",
        "other city",
        "other name",
        "other email",
        "other id",
        "all other",
        "twice",
        "in the middle",
        "both",
        "more",
        "cut",
        "numbers",
        "double",
    ),
    "order": ("turned", "swapped", "short", "long"),
    "delimiter": (";", "\t", "|", "^", "\x01", " "),
    "quoting": ("none", "single", "some"),
    "ends": ("\r", "mixed", "\n\r", "\u2028", "\x85"),
    "blanks": ("commas", "end of file"),
    "encoding": ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp1251", "cp037"),
    "packed": ("gzip", "zip", "zlib", "bz2", "xz", "json", "html", "base64", "nothing"),
    "content_encoding": ("gzip", "br", "deflate", "aes"),
}
_NO_HEADER: Final = {"none", "numbers", "all other", "in the middle"}
TOLD: Final[Mapping[str, Sequence[Any]]] = {
    "columnHeaders": (True, False, "true", "false", None, "yes"),
    "delimiter": (",", ";", None, "\t"),
    "quoteStyle": ("QuoteStyle.Csv", "QuoteStyle.None", None, "csv"),
    "encoding": ("UTF-8", "ascii", None, "utf-16", "windows-1252"),
    "csvStyle": ("CsvStyle.QuoteAlways", None),
    "$type": ("CsvFormatSettings", None, "ParquetFormatSettings"),
}


def write(rows: Sequence[Row], way: Way) -> bytes:
    """Write rows in one way; every row on a line of its own, but for the line ends in its values."""
    columns = {"turned": (3, 2, 1, 0), "swapped": (0, 2, 1, 3), "short": (0, 1, 3)}.get(way.order, (0, 1, 2, 3))
    lines = [_line([row[n] for n in columns] + ["more"] * (way.order == "long"), way) for row in rows]
    names = [COLUMNS[n] for n in columns]
    lines = _with_header(lines, names, way)
    match way.blanks:
        case "before":
            lines.insert(0, "")
        case "between":
            lines.insert(len(lines) // 2, "")
        case "after":
            lines += ["", ""]
        case "spaces":
            lines.insert(0, "  \t " if way.delimiter != "\t" else "  ")
        case "commas":
            lines.append(way.delimiter * 3)
        case "end of file":
            lines.append("\x1a")
    ends = ["\r", "\n"] if way.ends == "mixed" else [way.ends]
    text = "".join(line + ends[n % len(ends)] for n, line in enumerate(lines))
    if not way.last_end and lines:
        text = text[: -len(ends[(len(lines) - 1) % len(ends)])]
    try:
        data = text.encode(way.encoding)
    except UnicodeEncodeError:
        data = text.encode()
    return _pack(data, way.packed)


def _line(cells: Sequence[str], way: Way) -> str:
    match way.quoting:
        case "none":
            special = {way.delimiter, "\n", "\r"}
            return way.delimiter.join(
                _quoted(cell) if special & set(cell) or cell[:1] == cell[-1:] == '"' else cell for cell in cells
            )
        case "single":
            return way.delimiter.join(f"'{cell}'" for cell in cells)
        case "spark":
            special = {way.delimiter, "\n", "\r", '"'}
            return way.delimiter.join(
                '"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"' if special & set(cell) or not cell else cell
                for cell in cells
            )
    quoting: Any = {"all": csv.QUOTE_ALL, "some": csv.QUOTE_NONNUMERIC}.get(way.quoting, csv.QUOTE_MINIMAL)
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, delimiter=way.delimiter, lineterminator="").writerow(cells)
    return text.getvalue()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _with_header(lines: list[str], names: list[str], way: Way) -> list[str]:
    def but(name: str, other: str) -> list[str]:
        return [other if each == name else each for each in names]

    def line(cells: Sequence[str]) -> str:
        return _line(cells, way)

    written: Mapping[str, Callable[[], str]] = {
        "right": lambda: line(names),
        "lower": lambda: line([name.lower() for name in names]),
        "upper": lambda: line([name.upper() for name in names]),
        "blank": lambda: line([f"{name} " for name in names]),
        "invisible": lambda: line([f"\u200b{name}\ufeff" for name in names]),
        "quoted": lambda: way.delimiter.join(f'"{name}"' for name in names),
        "no city": lambda: line([name for name in names if name != "City"]),
        "no name": lambda: line([name for name in names if name != "FirstName"]),
        "no email": lambda: line([name for name in names if name != "Email"]),
        "no id": lambda: line([name for name in names if name != "CustomerId"]),
        "other city": lambda: line(but("City", "Town")),
        "other name": lambda: line(but("FirstName", "First Name")),
        "other email": lambda: line(but("Email", "E-mail")),
        "other id": lambda: line(but("CustomerId", "Kundennummer")),
        "all other": lambda: line(["Kundennummer", "Vorname", "Ort", "E-Mail"][: len(names)]),
        "more": lambda: line([*names, "Phone"]),
        "cut": lambda: line(names)[:-2],
        "numbers": lambda: line(["Column1", "Column2", "Column3", "Column4"][: len(names)]),
        "double": lambda: line(but("City", "FirstName")),
    }
    middle = len(lines) // 2
    if way.header == "none":
        return lines
    if way.header in written:
        return [written[way.header](), *lines]
    header = written["right"]()
    return {
        "twice": [header, header, *lines],
        "in the middle": [*lines[:middle], header, *lines[middle:]],
        "both": [header, *lines[:middle], header, *lines[middle:]],
    }[way.header]


def _pack(data: bytes, packed: str) -> bytes:
    match packed:
        case "gzip":
            return gzip.compress(data)
        case "zip":
            held = io.BytesIO()
            with zipfile.ZipFile(held, "w") as archive:
                archive.writestr("a.csv", data)
            return held.getvalue()
        case "zlib":
            return zlib.compress(data)
        case "bz2":
            return bz2.compress(data)
        case "xz":
            return lzma.compress(data)
        case "json":
            return b"\n".join(json.dumps({"row": line}).encode() for line in data.decode("latin-1").splitlines())
        case "html":
            return b"<!DOCTYPE html>\n<html>,,,<body>\n<p>Please, sign, in, again</p>\n</html>\n"
        case "base64":
            return zlib.compress(data).hex().encode()
    return data


def publish(parts: Sequence[tuple[Sequence[Row], Way]]) -> dict[str, Blob]:
    """Write a table's partitions, and model.json."""
    blobs, described = {}, []
    for number, (rows, way) in enumerate(parts):
        path = f"Export/VIP/{number}.csv"
        blobs[path] = Blob(write(rows, way), way.content_encoding)
        settings = {} if way.told is None else {"fileFormatSettings": dict(way.told)}
        described.append({"name": f"p{number}", "location": f"https://a.example.com/ci/{path}", **settings})
    attributes = [{"name": name, "dataType": "string"} for name in COLUMNS]
    entity = {"$type": "LocalEntity", "name": "VIP", "attributes": attributes, "partitions": described}
    blobs["Export/model.json"] = Blob(json.dumps({"entities": [entity]}).encode())
    return blobs


@dataclass(frozen=True)
class Publication:
    """A good table, and a way it is published."""

    rows: tuple[Row, ...]
    parts: tuple[tuple[tuple[Row, ...], Way], ...]
    harmless: bool

    @property
    def seems_unwritten(self) -> bool:
        """Whether a file has nothing in it, not even the header that others have: then nobody knows who is missing."""
        headers = [way.header != "none" for _, way in self.parts]
        return any(headers) and any(not rows and way.header == "none" for rows, way in self.parts)


def publication(seed: int) -> Publication:
    """Draw a table of a few people and how its partitions are written: mostly as they should be, in a few ways odd."""
    draw = random.Random(seed)
    rows = tuple(
        (f"c{seed % 97}{number}", draw.choice(_NAMES), draw.choice(_CITIES), f"p{number}@example.com")
        for number in range(draw.randint(1, 6))
    )
    oddities = draw.choice((0, 0, 1, 1, 2, 3))
    cuts = sorted(draw.randint(0, len(rows)) for _ in range(draw.choice((0, 1, 1, 2))))
    bounds = [0, *cuts, len(rows)]
    parts = [(rows[start:end], _way(draw)) for start, end in pairwise(bounds)]
    for _ in range(oddities):
        place = draw.randrange(len(parts))
        parts[place] = (parts[place][0], _odder(draw, parts[place][1]))
    return Publication(rows, tuple(parts), oddities == 0)


def _way(draw: random.Random) -> Way:
    return Way(**{name: draw.choice(values) for name, values in HARMLESS.items() if draw.random() < 0.5})


def _odder(draw: random.Random, way: Way) -> Way:
    if draw.random() < 0.4:
        name = draw.choice(list(TOLD))
        return Way(**{**vars_of(way), "told": (*(way.told or ()), (name, draw.choice(TOLD[name])))})
    name = draw.choice(list(ODD))
    odd = Way(**{**vars_of(way), name: draw.choice(ODD[name])})
    if odd.order == "swapped" and odd.header in _NO_HEADER:  # the order is model.json's where no header says it
        return Way(**{**vars_of(odd), "header": "right"})
    return odd


def vars_of(way: Way) -> dict[str, Any]:
    return {name: getattr(way, name) for name in Way.__dataclass_fields__}


def read(source: CustomerInsights) -> tuple[list[Found], int] | ExportError:
    """Return the sound rows and the number of malformed ones, or how the run would end."""
    try:
        table = source.catalogue().table("VIP")
        batches = list(source.read(table, WANTED, "Email"))
    except ExportError as end:
        return end
    found = (
        pl.concat(batches)
        if batches
        else pl.DataFrame(schema={MALFORMED: pl.Boolean, **dict.fromkeys(WANTED, pl.String)})
    )
    return found.filter(~pl.col(MALFORMED)).select(WANTED).rows(), int(found[MALFORMED].sum())


def judge(seed: int, source: CustomerInsights | None = None) -> str:
    """Read a publication and hold the outcome against the law; say how it ended."""
    published = publication(seed)
    blobs = publish(published.parts)
    outcome = read(source or source_of(blobs))
    good: Counter[Found] = Counter((row[0], row[1] or None, row[3]) for row in published.rows)
    plain = published.harmless and not published.seems_unwritten
    plain = plain and not any(row[1] in _DOUBTFUL for row in published.rows)
    if isinstance(outcome, ExportError):
        assert not plain, (published, outcome)
        assert outcome.reason in NAMED, (published, outcome)
        assert "VIP" in outcome.detail, (published, outcome)
        assert not any(row[3] in outcome.detail for row in published.rows)
        return "refused"
    found, malformed = [tuple(cell and cell.strip() for cell in row) for row in outcome[0]], outcome[1]
    people: Counter[Found] = Counter(row for row in found if "@" in str(row[2]))  # others are nobody's
    assert not people - good, (published, people - good)
    assert malformed >= (good - people).total(), (published, good - people)
    assert people == good or not plain, published
    return "read" if people == good else "counted"


@pytest.fixture
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shared.sources.blob_export.partition, shared.planning.survey):
        monkeypatch.setattr(module, "in_order", lambda work, items: map(work, items))


@pytest.mark.usefixtures("without_threads")
def test_however_a_table_is_published_its_people_are_read_or_counted_or_the_run_ends_by_name() -> None:
    ends: Counter[str] = Counter()

    @settings(max_examples=10_000, database=None, deadline=None, derandomize=True)
    @given(st.integers(0, 1 << 60))
    def holds(seed: int) -> None:
        ends[judge(seed)] += 1

    holds()
    assert min(ends["read"], ends["counted"], ends["refused"]) > 100, ends


KEY: Final = DigestKey(b"k" * 32)
RECIPE: Final = recipe_for({"Email": "Email", "FirstName": "FirstName"}, clear_empty=True)
LIST: Final = "contactlist_1"


def plan_of(source: CustomerInsights, state: State) -> tuple[bytes, ...]:
    """Plan a run and return its chunks."""
    segment = SourceSegment(source, source.catalogue().table("VIP"), "Email")
    with Spool() as spool:
        found = plan([segment], RECIPE, KEY, state, [LIST], Scope(remove_leavers=True), spool)
        return tuple(chunks(found))


def delivered(source: CustomerInsights) -> State:
    """Return the state after everything that a source says was delivered."""
    receipts = [
        Receipt(operation.person, f"person_{operation.person}", operation.content, added=(LIST,))
        for chunk in plan_of(source, State.empty())
        for operation in decode(chunk)
    ]
    return merge(State.empty(), tabulate(receipts, [LIST]), [LIST])


@pytest.mark.usefixtures("without_threads")
def test_nobody_is_removed_and_nothing_erased_however_a_table_is_published_again() -> None:
    planned: Counter[str] = Counter()

    @settings(max_examples=700, database=None, deadline=None, derandomize=True)
    @given(st.integers(0, 1 << 60))
    def holds(seed: int) -> None:
        published = publication(seed)
        state = delivered(source_of(publish([(published.rows, Way())])))
        assert state.people.height == len(published.rows)
        try:
            work = plan_of(source_of(publish(published.parts)), state)
        except ExportError as end:
            planned[end.reason] += 1
            return
        assert not work, (published, work)
        planned["nothing to do"] += 1

    holds()
    assert planned.keys() <= {*NAMED, "nothing to do"}
    assert planned["nothing to do"] > 50


@pytest.mark.parametrize("seed", range(12))
def test_the_law_holds_through_real_storage(azurite: Azurite, seed: int) -> None:
    source = Source(azurite)
    try:
        for path, blob in publish(publication(seed).parts).items():
            text = blob.data.replace(b"/ci/", f"/{source.name}/".encode()) if path.endswith(".json") else blob.data
            encoded = ContentSettings(content_encoding=blob.encoding)
            source.container.upload_blob(path, text, content_settings=encoded)
        judge(seed, source.reader)
    finally:
        source.service.close()
