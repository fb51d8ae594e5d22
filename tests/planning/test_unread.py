"""What was read in doubt takes nobody off a list: lines that may hold several rows, people whom they name, keys that repeat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import polars as pl
import pytest

from shared.delivery.chunks import decode
from shared.planning.plan import Plan, chunks, plan, remarks
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.sources.source import SourceSegment
from shared.state.digests import DigestKey
from shared.state.state import CUSTOMERS, Receipt, State, identify, merge, tabulate
from tests.cleaning.recipes import recipe_for
from tests.sources.blob_export.cases import at, entity
from tests.sources.blob_export.memory import Blob, source_of

KEY: Final = DigestKey(b"k" * 32)
RECIPE: Final = recipe_for({"Email": "Email", "FirstName": "FirstName"}, clear_empty=True)
LIST: Final = "contactlist_1"
MANY: Final = 2_000
COLUMNS: Final = ("CustomerId", "FirstName", "Email", "Notes")
TABLE: Final = entity("VIP", at("Export/VIP/a.csv"), at("Export/VIP/b.csv"), columns=COLUMNS)
HEAD: Final = "CustomerId,FirstName,Email,Notes\n"


def row(number: int, first: str = "", notes: str = "none") -> str:
    return f"c{number:07},{first or f'Name{number}'},person{number}@example.com,{notes}\n"


ROWS: Final = [row(number) for number in range(MANY)]


def planned(rows: bytes, more: bytes, state: State, spool: Spool) -> Plan:
    files = {"Export/VIP/a.csv": Blob(HEAD.encode() + rows), "Export/VIP/b.csv": Blob(HEAD.encode() + more)}
    model = {"application": "CustomerInsights", "name": "BlobExport", "version": "1.0", "entities": [TABLE]}
    source = source_of({**files, "Export/model.json": Blob(json.dumps(model).encode())})
    segment = SourceSegment(source, source.catalogue().table("VIP"), "Email")
    return plan([segment], RECIPE, KEY, state, [LIST], Scope(remove_leavers=True), spool)


@pytest.fixture(scope="module")
def delivered() -> State:
    with Spool() as spool:
        found = planned("".join(ROWS).encode(), b"", State.empty(), spool)
        receipts = [
            Receipt(operation.person, f"person_{operation.person}", operation.content, added=(LIST,))
            for chunk in chunks(found)
            for operation in decode(chunk)
        ]
        state = merge(State.empty(), tabulate(receipts, [LIST]), [LIST])
        return identify(state, pl.concat([pl.DataFrame(schema=CUSTOMERS), *found.identities()]))


def refreshed(state: State, rows: bytes, more: bytes = b"") -> tuple[int, int, int, str]:
    """Plan a refresh; return who leaves, who is held back and kept, and what is said. Nothing is sent for anybody else."""
    with Spool() as spool:
        found = planned(rows, more, state, spool)
        difference = found.difference
        assert difference.operations.height == difference.leavers
        said = remarks(found, ["VIP"])
        assert "@" not in said
        assert "c0000" not in said
        named = found.named.drop("where").select(pl.concat_str(pl.all().cast(pl.String), ignore_nulls=True)).to_series()
        assert not named.str.contains("@").any()
        return difference.leavers, sum(difference.held_back), difference.kept, said


@pytest.mark.parametrize("instead", ["", "\x1e", "\x85", "\u2028", " ", "\\n", "\\r\\n", "\x0b"], ids=ascii)
def test_a_line_that_may_hold_200_rows_weighs_as_many(delivered: State, instead: str) -> None:
    glued = instead.join(line.strip() for line in ROWS[500:700]) + "\n"
    leavers, held_back, kept, said = refreshed(delivered, "".join([*ROWS[:500], glued, *ROWS[701:]]).encode())
    assert (leavers, held_back + kept) == (0, 201)
    assert held_back >= 1
    assert "could not be read and may hold" in said


@pytest.mark.parametrize(
    "instead",
    [
        '{"error":{"code":"ServerBusy","message":"Try again."}}',
        '\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code></Error>',
        'Na{"error":{"code":"ServerBusy"}}',
    ],
)
def test_an_answer_of_a_service_stands_for_any_number_of_rows(delivered: State, instead: str) -> None:
    text = "".join([*ROWS[:500], instead, "\n", *ROWS[700:]])
    leavers, held_back, _, said = refreshed(delivered, text.encode())
    assert (leavers, held_back) == (0, 200)
    assert "may stand for any number of rows" in said


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
@pytest.mark.parametrize("count", [20, 200])
def test_rows_that_were_written_over_are_counted(delivered: State, byte: bytes, count: int) -> None:
    text = "".join(ROWS).encode()
    first, last = (text.index(ROWS[number].encode()) + 12 for number in (1_990 - count, 1_990))
    damaged = text[:first] + byte * (last - first) + text[last:]
    leavers, held_back, kept, _ = refreshed(delivered, damaged)
    assert leavers == 0
    assert held_back + kept >= count - 1


def test_a_line_of_more_than_a_megabyte_weighs_what_all_of_it_may_hold(delivered: State) -> None:
    glued = "".join(row(number).strip() for number in range(100_000, 129_000)) + "\n"
    assert len(glued) > 1 << 20
    leavers, held_back, _, said = refreshed(delivered, "".join([*ROWS[:-5], glued]).encode())
    assert (leavers, held_back) == (0, 5)
    assert "may hold 29" in said


BROKEN: Final[Mapping[str, bytes]] = {
    "a byte that is not UTF-8": row(7, "Andr\xe9").encode("cp1252"),
    "such a byte in the address": row(7).encode().replace(b"person7@", b"p\xe9rson7@"),
    "such a byte in the key": row(7).encode().replace(b"c0000007", b"c00\xe90007"),
    "a name of 70,000 characters": row(7, "x" * 70_000).encode(),
    "a cell of a megabyte": row(7, notes="x" * 1_100_000).encode(),
    "a cell of a megabyte first": b"c00" + b"x" * 1_100_000 + b",Name7,person7@example.com,none\n",
    "quotes within": row(7, 'Ann "A" Lee').encode(),
    "quotes at the beginning": row(7, '"Ann" Lee').encode(),
    "a comma without quotes": row(7, "Lee, Ann").encode(),
    "a quote that opens in the last field": row(7, notes='"none').encode(),
    "a name beside the address": row(7, "Lee, Ann").replace("person7@", "Ann <person7@").encode(),
    "a key in capitals with blanks": row(7, "Lee, Ann").replace("c0000007", " C0000007 ").replace("@", "").encode(),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_whom_a_broken_line_names_is_kept_and_others_leave(delivered: State, broken: str) -> None:
    text = "".join(ROWS[:7]).encode() + BROKEN[broken] + "".join(ROWS[8:-1]).encode()
    leavers, held_back, kept, said = refreshed(delivered, text)
    assert (leavers, held_back, kept) == (1, 0, 1)
    assert "Members kept: 1" in said


def test_two_neighbours_with_a_stray_quote_each_are_kept_by_name_or_by_weight(delivered: State) -> None:
    text = "".join([*ROWS[:7], row(7, notes='6" nails'), row(8, notes='8" nails'), *ROWS[9:-1]])
    leavers, held_back, kept, _ = refreshed(delivered, text.encode())
    assert (leavers + held_back, kept) == (1, 2)


@pytest.mark.parametrize("nothing", ["NULL", "\\N", "null", "-", "n/a", "  ", "\u200b"], ids=ascii)
def test_a_key_that_is_none_is_nobodys(delivered: State, nothing: str) -> None:
    lost = f"{nothing},{nothing},{nothing},x\n" * 5
    assert refreshed(delivered, "".join([*ROWS[:-5], lost]).encode())[:3] == (0, 5, 0)


@pytest.mark.parametrize("key", ["c0000007 ", "C0000007", "\ufeffc0000007", "c000\u200b0007"], ids=ascii)
def test_a_key_is_known_however_it_is_written(delivered: State, key: str) -> None:
    text = "".join([*ROWS[:7], f"{key},Name7,,x\n", *ROWS[8:-1]])
    assert refreshed(delivered, text.encode())[:3] == (1, 0, 1)


def test_where_keys_are_none_one_row_without_an_address_holds_nothing_back(delivered: State) -> None:
    rows = [f"NULL{line[8:]}" for line in ROWS]
    text = "".join([*rows[:7], "NULL,Name7,,x\n", *rows[8:-1]])
    assert refreshed(delivered, text.encode())[:3] == (2, 0, 0)


def test_a_file_that_has_the_content_of_another_takes_nobody_off(delivered: State) -> None:
    half = "".join(ROWS[: MANY // 2]).encode()
    leavers, held_back, kept, said = refreshed(delivered, half, half)
    assert (leavers, held_back, kept) == (0, MANY // 2, 0)
    assert "of whose 2,000 rows 1,000 (50%) have the key of another row." in said


def test_a_key_that_repeats_now_and_then_holds_nothing_back(delivered: State) -> None:
    assert refreshed(delivered, "".join([*ROWS[:-1], ROWS[0]]).encode())[:3] == (1, 0, 0)
