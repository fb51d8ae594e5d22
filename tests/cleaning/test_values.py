"""What stands in a column, and what is sent: the columns of a whole table, through the planner, without a stack."""

from __future__ import annotations

import json
import unicodedata
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shared.planning.survey
from shared.cleaning.dates import dates
from shared.cleaning.notation import Notations
from shared.cleaning.numbers import floats, integers
from shared.cleaning.text import in_one_spelling
from shared.sources.source import Declared
from shared.state.state import Receipt, State, merge, tabulate
from tests.cleaning.recipes import recipe_for
from tests.cleaning.tables import Table, column, contacts_of, planned, rows_of, sent, values

DAYS_FIRST = ("05/01/1980", "03/03/1981", "25/12/1980")


MONTHS_FIRST = ("05/01/1980", "03/03/1981", "12/25/1980")


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (DAYS_FIRST, ["1980-01-05", "1981-03-03", "1980-12-25"]),
        (MONTHS_FIRST, ["1980-05-01", "1981-03-03", "1980-12-25"]),
        (("05/01/1980", "03/03/1981"), [None, "1981-03-03"]),
        (("05/01/1980", "25/12/1980", "12/25/1980"), [None, "1980-12-25", "1980-12-25"]),
        (("05/01/1980 00:00", "25/12/1980 10:30"), ["1980-01-05", "1980-12-25T10:30"]),
        (("05.01.1980", "1980-05-02"), ["1980-01-05", "1980-05-02"]),
        (("05.01.1980", "12.25.1980"), [None, None]),
    ],
)
def test_a_column_has_one_order_of_day_and_month_by_its_own_evidence_and_in_doubt_none(
    cells: tuple[str, ...], days: list[str | None]
) -> None:
    right = [day and f"{day.partition('T')[0]}T{day.partition('T')[2] or '00:00'}:00.000Z" for day in days]
    assert values(column(*cells), "date--Born") == right
    assert values(column(*reversed(cells)), "date--Born") == right[::-1]


def test_what_was_read_before_the_evidence_came_is_read_again() -> None:
    table = column(*["05/01/1980"] * 9, "25/12/1980")
    assert values(table, "date--Born") == ["1980-01-05T00:00:00.000Z"] * 9 + ["1980-12-25T00:00:00.000Z"]
    assert table.reads == 2


@pytest.mark.parametrize("cells", [["1980-01-05"] * 9, ["12/25/1980", "05/01/1980"] * 4, ["1.5"] * 9, ["1.500"] * 9])
def test_a_column_whose_first_rows_show_how_it_is_written_is_read_once(cells: list[str]) -> None:
    table = column(*cells)
    sent([table], recipe_for({"Email": "Email", "date--Born": "V", "float--Spent": "V"}))
    assert table.reads == 1


def test_segments_of_an_export_show_together_how_a_column_is_written() -> None:
    tables = [column("05/01/1980", name="A"), column("05/01/1980", "25/12/1980", name="B")]
    _, contacts = sent(tables, recipe_for({"Email": "Email", "date--Born": "V"}))
    assert contacts["p0@example.com"]["custom"]["date--Born"] == "1980-01-05T00:00:00.000Z"


def test_the_owners_word_goes_first_then_the_sources_and_a_date_that_does_not_fit_is_left_out() -> None:
    told = {"V": Declared(order="day_first")}
    assert values(column("05/01/1980", declared=told), "date--Born") == ["1980-01-05T00:00:00.000Z"]
    assert values(column("12/25/1980", declared=told), "date--Born") == [None]
    assert values(column("05/01/1980", declared=told), "date--Born", date_order="month_first") == [
        "1980-05-01T00:00:00.000Z"
    ]


def test_a_column_of_dates_that_shows_nothing_is_in_us_format_as_customer_insights_writes_it() -> None:
    typed = {"V": Declared(usual_order="month_first")}
    assert values(column("05/01/1980", declared=typed), "date--Born") == ["1980-05-01T00:00:00.000Z"]
    assert values(column("05/01/1980", "25/12/1980", declared=typed), "date--Born")[0] == "1980-01-05T00:00:00.000Z"


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.000", "10.000", "8.0"], [1, 10, 8]),
        (["1.000", "10.000", "1.500"], [None, None, None]),
        (["1,234", "1,234,567"], [1234, 1234567]),
        (["1,234", "1,5"], [None, None]),
    ],
)
def test_a_point_or_comma_that_may_part_thousands_is_read_by_the_whole_column(
    cells: list[str], numbers: list[int | None]
) -> None:
    assert values(column(*cells), "integer--Points") == numbers
    assert values(column(*reversed(cells)), "integer--Points") == numbers[::-1]


def test_in_a_column_of_numbers_a_point_is_a_decimal_sign() -> None:
    number = {"V": Declared(is_number=True)}
    assert values(column("1.000", "1.500", declared=number), "integer--Points") == [1, None]
    assert values(column("1.500", "2.25", declared=number), "float--Spent") == [1.5, 2.25]


def test_a_whole_number_in_a_text_field_has_no_decimals_if_the_source_says_that_it_is_a_number() -> None:
    number = {"V": Declared(is_number=True)}
    cells = ("85301.0", "1.5551234567E10", "12.5", "007", "-0.0", "-0E0")
    assert values(column(*cells, declared=number), "MailingPostalCode") == [
        "85301",
        "15551234567",
        "12.5",
        "007",
        "0",
        "0",
    ]
    assert values(column(*cells), "MailingPostalCode") == list(cells)


MAPPING = {"Email": "Email", "MailingCity": "City", "string--Company": "Company"}


ANN = "ann@example.com"


def test_what_the_row_that_speaks_lacks_another_row_of_the_person_says() -> None:
    table = rows_of(
        ("c0000002", "ANN@example.com", "Paris", "Contoso"),
        ("c0000001", ANN, "Rome", None),
        ("c0000003", "ben@example.com", None, None),
    )
    for clear_empty in (False, True):
        found, contacts = sent([table], recipe_for(MAPPING, clear_empty=clear_empty))
        assert contacts[ANN] == {"Email": ANN, "MailingCity": "Rome", "custom": {"string--Company": "Contoso"}}
        assert (found.difference.profiles, found.difference.duplicates) == (2, 1)
    assert contacts["ben@example.com"] == {
        "Email": "ben@example.com",
        "MailingCity": None,
        "custom": {"string--Company": None},
    }


def test_a_value_that_one_row_has_wrong_is_not_erased_because_another_row_has_none() -> None:
    table = rows_of(("c0000001", ANN, None, "x"), ("c0000002", ANN, "soon", None))
    mapping = {"Email": "Email", "date--Born": "City", "Company": "Company"}
    _, contacts = sent([table], recipe_for(mapping, clear_empty=True))
    assert contacts[ANN] == {"Email": ANN, "Company": "x"}


def test_any_row_that_takes_the_permission_back_takes_it_back() -> None:
    table = rows_of(("c0000001", ANN, "false", None), ("c0000002", ANN, "true", None))
    for resubscribe in (False, True):
        _, contacts = sent([table], recipe_for({"Email": "Email", "unsubscribed": "City"}, resubscribe=resubscribe))
        assert contacts[ANN]["unsubscribed"] is True


def test_a_person_in_two_segments_with_other_values_is_one_contact_whole() -> None:
    tables = [rows_of(("c0000001", ANN, "Rome", None), name="A"), rows_of(("c0000001", ANN, None, "Contoso"), name="B")]
    found, contacts = sent(tables, recipe_for(MAPPING))
    assert contacts[ANN] == {"Email": ANN, "MailingCity": "Rome", "custom": {"string--Company": "Contoso"}}
    assert found.difference.joiners == 2


_city = st.sampled_from([None, "Rome", 'Pa"ris', "Ōsaka"])


_rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), _city, _city), max_size=14)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(_rows, min_size=1, max_size=2), st.randoms(), st.sampled_from([1, 3, 1000]), st.booleans())
def test_rows_in_any_order_make_the_same_contacts_and_are_delivered_once(
    monkeypatch: pytest.MonkeyPatch, segments: list[list[Any]], random: Any, part: int, clear_empty: bool
) -> None:
    monkeypatch.setattr(shared.planning.survey, "PART", part)
    recipe = recipe_for(MAPPING, clear_empty=clear_empty)

    def tables(rows: list[list[Any]]) -> list[Table]:
        named = [
            [(f"c{customer:07}", f"p{person}@example.com", *cells) for person, customer, *cells in some]
            for some in rows
        ]
        return [rows_of(*some, name=str(place)) for place, some in enumerate(named)]

    found, operations = planned(tables(segments), recipe)
    shuffled = [random.sample(rows, len(rows)) for rows in segments]
    _, again = sent(tables(shuffled), recipe)
    assert {email: json.dumps(body) for email, body in contacts_of(operations).items()} == {
        email: json.dumps(body) for email, body in again.items()
    }
    lists = [f"list-{place}" for place in range(len(segments))]
    receipts = [
        Receipt(item.person, f"person_{item.person}", item.content, added=tuple(lists[place] for place in item.add))
        for item in operations
    ]
    state = merge(State.empty(), tabulate(receipts, lists), lists)
    later, _ = sent(tables(shuffled), recipe, state)
    assert later.difference.operations.is_empty()
    assert found.difference.profiles == len({person for rows in segments for person, *_ in rows})


@pytest.mark.parametrize(
    ("field", "spellings"),
    [
        ("float--Spent", ["0", "-0.0", "0.00"]),
        ("float--Spent", ["1234.56", "1234.5600000000002", "1,234.56", "1234.560"]),
        ("FirstName", ["Zoë", "Zoe\u0308", "\u00a0Zoë ", "\ufeffZoë\u200b", "Zo\u200bë", "Zoë\x00"]),
        ("FirstName", ["Ann Lee", "Ann\u00a0Lee", "\u202aAnn Lee\u202c"]),
        ("MailingStreet", ["1 Main St\nApt 2", "1 Main St\r\nApt 2", "1 Main St\rApt 2"]),
        ("date--Born", ["1988-01-01", "1988-01-01T00:00:00+01:00", "1988-01-01 00:00+02:00", "19880101"]),
        ("integer--Points", ["12345678", "1.2345678E7", "12345678.0", "12,345,678"]),
        ("boolean--Vip", ["true", "1.0", "on", "YES"]),
    ],
)
def test_the_same_value_is_the_same_contact_however_it_is_written(field: str, spellings: list[str]) -> None:
    texts = set()
    for spelling in spellings:
        _, contacts = sent([column(spelling)], recipe_for({"Email": "Email", field: "V"}))
        texts.add(json.dumps(contacts["p0@example.com"]))
    assert len(texts) == 1
    assert field in texts.pop()


@pytest.mark.parametrize(
    "text",
    [
        "\u200b",
        "\ufeff",
        "\u00a0",
        "\u200d",
        "\x00",
        " \u2063 ",
        "\u202a\u202c",
        "\ufff9",
        "\U000e0001",
        "\u180b \u200d",
    ],
)
def test_a_value_of_invisible_characters_only_is_empty(text: str) -> None:
    assert values(column(text), "FirstName") == [None]
    _, contacts = sent([column(text)], recipe_for({"Email": "Email", "FirstName": "V"}, clear_empty=True))
    assert contacts["p0@example.com"] == {"Email": "p0@example.com", "FirstName": None}


@given(st.text(max_size=20))
def test_one_spelling_is_final_and_hides_nothing(text: str) -> None:
    found = in_one_spelling(pl.DataFrame({"a": [text, "plain"]})).texts["a"]
    assert in_one_spelling(found.to_frame()).texts["a"].to_list() == found.to_list()
    spelled = found[0] or ""
    assert spelled == spelled.strip()
    assert not any(unicodedata.category(letter) == "Cc" and letter not in "\t\n" for letter in spelled)
    assert unicodedata.is_normalized("NFC", spelled)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_sent_with_fifteen_digits(number: float) -> None:
    found = floats(pl.Series([repr(number)]), "V", Notations()).item()
    assert found == pytest.approx(float(f"{number:.15g}"), rel=1e-14, abs=0)
    assert repr(found) == repr(float(f"{found:.15g}"))


@given(st.integers(1, 12), st.integers(1, 30), st.sampled_from("+-"))
def test_fifteen_digits_just_below_a_power_of_ten_are_all_sent_however_they_are_written(
    whole: int, less: int, sign: str
) -> None:
    """The logarithm of 999999999999.998 is 12 in a double."""
    digits = str(10**15 - less)
    text = f"{sign}{digits[:whole]}.{digits[whole:]}"
    assert floats(pl.Series([text, text + "0", text + "000"]), "X", Notations()).to_list() == [float(text)] * 3


@given(st.integers(-(2**60), 2**60))
def test_a_whole_number_is_exact_or_refused(number: int) -> None:
    found = integers(pl.Series([str(number), f"{number}.0"]), "V", Notations()).to_list()
    assert found == ([number, number] if abs(number) < 2**53 else [None, None])


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(["day_first", "month_first", None]))
def test_a_day_is_that_day_or_not_read_in_any_notation(day: date, told: Any) -> None:
    """What the owner says holds; without it, nothing is guessed."""
    written = {
        "day_first": f"{day:%d/%m/%Y}",
        "month_first": f"{day.month}/{day.day}/{day.year:04}",
        None: f"{day:%d.%m.%Y} 00:00",
    }
    right = f"{day.isoformat()}T00:00:00.000Z"
    assert dates(pl.Series([written[told]]), "V", Notations(told)).item() == right
    assert dates(pl.Series([written["month_first"]]), "V", Notations()).item() in {right, None}
    assert dates(pl.Series([written["day_first"]]), "V", Notations()).item() in {right, None}
