"""Phone numbers: one number in any spelling is its digits, what may be something else is left out and named."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.destinations.ortto.mapping import FIELDS
from shared.destinations.ortto.phones import phones
from shared.reasons.rows import Hint


@pytest.mark.parametrize(
    ("cell", "digits"),
    [
        ("15551234567", "15551234567"),
        ("15551234567.0", "15551234567"),
        ("15551234567.", "15551234567"),
        ("1.5551234567E10", "15551234567"),
        ("+44 20 7946 0958", "442079460958"),
        ("0044 20 7946 0958", "442079460958"),
        ("+44 (0)20 7946 0958", "442079460958"),
        ("0044 (0) 20 7946 0958", "442079460958"),
        ("(+44)(0)20 7946 0958", "442079460958"),
        ("+39 (06) 1234567", "39061234567"),
        ("+1 (555) 123-4567", "15551234567"),
        ("(555) 123-4567", "5551234567"),
        ("(0)20 7946 0958", "02079460958"),
        ("555.123.4567", "5551234567"),
        ("01.23.45.67.89", "0123456789"),
        ("030 / 1234567", "0301234567"),
        ("+49 (0)3329/12345", "49332912345"),
        ("00 49 30/1234567", "49301234567"),
        ("555\u2013123\u20134567", "5551234567"),
        ("\uff0b\uff14\uff14\u3000\uff12\uff10 \uff17\uff19\uff14\uff16 \uff10\uff19\uff15\uff18", "442079460958"),
        ("tel:+442079460958", "442079460958"),
    ],
)
def test_a_number_is_its_digits_with_its_countrys_code(cell: str, digits: str) -> None:
    assert phones(pl.Series([cell])).item() == digits


@pytest.mark.parametrize(
    "cell",
    [
        "555-1234 ext. 89",
        "555-1234 x89",
        "5551234#89",
        "1-800-GO-FEDEX5",
        "123456/654321",
        "123 456 / 654 321",
        "+4930123456/789",
        "+1 555 1234567; +1 555 7654321",
        "555 1234567, 89",
        "555 1234567\n555 7654321",
        "2024-01-31",
        "2024-01-31 00:00",
        "31.01.2024",
        "1/2/2024",
        "15551234567.5",
        "-15551234567",
        "1.55512E+10",
        "1.5551234567E9",
        "555.0000",
        "+44 (020) 7946 0958",
        "1234",
        "1234567890123456",
        "555-1234)",
        "\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        "call me",
        "+",
    ],
)
def test_what_is_not_surely_one_number_is_none_and_its_owner_is_told_how_to_write_it(cell: str) -> None:
    cells = pl.Series([cell])
    assert phones(cells).item() is None
    assert FIELDS.hints("phn::phone", cells).to_list() == [Hint.PHONE.value]


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), st.lists(st.sampled_from(" .-"), min_size=15, max_size=15))
def test_signs_between_digits_change_no_number(number: str, signs: list[str]) -> None:
    parted = "+" + number[:1] + "".join(sign + pair for sign, pair in zip(signs, number[1:], strict=False))
    assert phones(pl.Series([parted])).item() == number


@given(st.text(st.sampled_from("0123456789+-./() xE,"), max_size=20))
def test_a_phone_is_made_of_the_digits_that_stand_there_and_of_no_others(text: str) -> None:
    found = phones(pl.Series([text], dtype=pl.String)).item()
    if found is not None and "E" not in text:
        left = iter(text)
        assert all(digit in left for digit in found)  # in their order
        assert 5 <= len(found) <= 15
