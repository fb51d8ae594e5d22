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
