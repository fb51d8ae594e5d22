"""Tables as Customer Insights, or somebody else, may publish them: drawn by seed, in every way to write them that we thought of."""

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.sources.blob_export.memory import Blob
from tests.sources.blob_export.ways import CITIES, COLUMNS, HARMLESS, NAMES, NO_HEADER, ODD, TOLD, Row, Way


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

    @property
    def seems_cut_off(self) -> bool:
        """Whether a file ends without a line end where another has one: then nobody knows whether its last value is whole."""
        ended = [(bool(rows), write(rows, way).rstrip(b" \t")[-1:]) for rows, way in self.parts]
        return (True, b"\n") in ended and any(last not in (b"", b"\n") for _, last in ended)


def people_of(seed: int) -> tuple[Row, ...]:
    """Draw a table of a few people."""
    draw = random.Random(seed)
    return tuple(
        (f"c{seed % 97}{number}", draw.choice(NAMES), draw.choice(CITIES), f"p{number}@example.com")
        for number in range(draw.randint(1, 6))
    )


def publication(seed: int, rows: tuple[Row, ...] | None = None) -> Publication:
    """Draw how a table's partitions are written, mostly as they should be, in a few ways odd; and the table, if none is given."""
    draw = random.Random(seed + 1)
    rows = people_of(seed) if rows is None else rows
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
    if odd.order == "swapped" and odd.header in NO_HEADER:  # the order is model.json's where no header says it
        return Way(**{**vars_of(odd), "header": "right"})
    return odd


def vars_of(way: Way) -> dict[str, Any]:
    return {name: getattr(way, name) for name in Way.__dataclass_fields__}
