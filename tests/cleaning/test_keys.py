"""Keys: one spelling, and none where a system wrote that there is none."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cleaning.text import is_placeholder, normalised_keys


def of(*keys: str | None) -> list[str | None]:
    return normalised_keys(pl.Series(keys, dtype=pl.String)).to_list()


@pytest.mark.parametrize(
    "written",
    ["c0000007 ", " c0000007", "\ufeffc0000007", "c000\u200b0007", "c0000007\xa0\t", "c0000007\u2800\U000e0020"],
    ids=ascii,
)
def test_what_nobody_sees_is_no_part_of_a_key(written: str) -> None:
    assert of(written, "c0000008") == ["c0000007", "c0000008"]


@pytest.mark.parametrize("written", ["", "  ", "\u200b", "NULL", "null ", "\\N", "N/A", "-", "\u200d", None], ids=ascii)
def test_what_stands_for_no_value_is_no_key(written: str | None) -> None:
    assert of("c0000007", written) == ["c0000007", None]


def test_a_key_stays_as_it_is_written_otherwise() -> None:
    keys = ["C0000007", "7", "a b", "name@example.com", "Ä-7", "none-of-them"]
    assert of(*keys) == keys


@given(st.lists(st.none() | st.text(max_size=12) | st.sampled_from(["NULL", "none ", "\x00-"]), max_size=8))
def test_a_key_in_its_spelling_is_left_alone_whatever_stands_beside_it(keys: list[str | None]) -> None:
    column = pl.Series(keys, dtype=pl.String)
    once = normalised_keys(column)
    assert column.to_list() == keys
    assert once.to_list() == [of(key)[0] for key in keys]
    assert normalised_keys(once).equals(once)
    assert not is_placeholder(once).any()
