"""Keyed digests: the same person gives the same number, and nobody can try addresses without the key."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shared.state.digests import DigestKey

KEY = DigestKey(bytes(range(32)))


@given(st.lists(st.text(max_size=30), max_size=20))
def test_a_column_gives_the_numbers_of_its_members(texts: list[str]) -> None:
    assert KEY.of_people(pl.Series(texts, dtype=pl.String)).to_list() == [KEY.of_person(text) for text in texts]


@given(st.text(max_size=30))
def test_another_key_gives_other_numbers(text: str) -> None:
    assert KEY.of_person(text) != DigestKey.new().of_person(text)


def test_an_address_and_a_content_of_the_same_text_differ() -> None:
    text = pl.Series(["a@example.com"])
    assert KEY.of_contents(text)[0] != KEY.of_people(text)[0] & 0xFFFFFFFFFFFFFFFF


def test_a_key_survives_the_vault_and_is_never_shown() -> None:
    assert DigestKey.from_text(KEY.to_text()).of_person("a") == KEY.of_person("a")
    assert KEY.to_text() not in repr(KEY)


def test_a_customer_id_in_hexadecimal_is_the_same_in_either_case_and_another_is_not() -> None:
    guid, number, name = "0a1b2c3d-0000-4000-8000-00000000000f", "c0000007", "Customer-ab"
    lower = KEY.of_customers(pl.Series([guid, number, name, None])).to_list()
    upper = KEY.of_customers(pl.Series([guid.upper(), number.upper(), name.upper(), None])).to_list()
    assert (lower[:2], lower[3]) == (upper[:2], None)
    assert lower[2] != upper[2]


def test_the_digest_of_a_customer_id_in_lower_case_stays_what_it_was() -> None:
    """States hold it."""
    known = KEY.of_customers(pl.Series(["c0000007", "Customer-ab"])).to_list()
    assert known == [-2669980194941667339, 4282836833019417071]
