"""E-mail addresses: the identity of a contact."""

from __future__ import annotations

import contextlib
import re

import polars as pl
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from shared.cleaning.addresses import normalise, normalised
from shared.cleaning.text import UNSEEN


@pytest.mark.parametrize(
    ("written", "identity"),
    [
        ("  Ann.Lee@Contoso.COM ", "ann.lee@contoso.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("first+tag@example.co.uk", "first+tag@example.co.uk"),
        ("müller@example.com", "müller@example.com"),
        ("x@bücher.example", "x@bücher.example"),
        ("", None),
        ("nobody", None),
        ("a@b", None),
        ("two@@example.com", None),
        ("dots..dots@example.com", None),
        ("a b@example.com", None),
        ("a@-example.com", None),
        ("a@host.local", None),
        ("ann@example.com, bob@example.com", None),
        ("ann@example.com <bob@example.com>", None),
        ("ann@example.com/bob@example.com", None),
        ("ann@example.com.", "ann@example.com"),
        ("ann@example.com;", "ann@example.com"),
        ("Ann Lee <Ann@example.com>", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("MAILTO:ann@example.com?subject=hello", "ann@example.com"),
        ("mailto://ann@example.com", "ann@example.com"),
        ("mailto:%61nn%2Bnews@example.com", "ann+news@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("ann@example.com <Ann@example.com>", "ann@example.com"),
        ("ann@home <ann@example.com>", None),
        ("'ann@example.com'", "ann@example.com"),
        ("\ufeffann@example.com\u200b", "ann@example.com"),
        ("\u202aann@example.com\u202c", "ann@example.com"),
        ("\u00a0ann@example.com\u00a0", "ann@example.com"),
        ("an\u200bn@example.com\x00", "ann@example.com"),
        ("ann\ufe0f@example.com", "ann@example.com"),
        ("an\u034fn@example.com\u2800", "ann@example.com"),
        ("\u200dann@example.com\u200c", "ann@example.com"),
        ("ann@example.com\U000e0020", "ann@example.com"),
        ("a\u200b\u200c\u200bnn@example.com\u200b\u200d\ufeff", "ann@example.com"),
        ("x@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com", None),
        ("na.\u0130nfo@firma.com.tr", "na.info@firma.com.tr"),
        ("\uff21\uff2e\uff2e\uff20example\u3002com", "ann@example.com"),
        ("please write to ann@example.com", None),
        ("m\ufffdller@example.com", None),
        ("M\ufffdller <mueller@example.com>", "mueller@example.com"),
    ],
)
def test_an_address_is_read_however_it_is_written_as_long_as_there_is_one(written: str, identity: str | None) -> None:
    assert normalise(written) == identity
    assert normalised(pl.Series([written])).to_list() == [identity]


def test_a_column_keeps_its_order_and_its_gaps() -> None:
    column = pl.Series("Email", ["B@example.com", None, "bad", "ü@example.com", "a@example.com"])
    assert normalised(column).to_list() == ["b@example.com", None, None, "ü@example.com", "a@example.com"]


_letters = st.text("abcxyz019._+-@'\"ü ", max_size=40)
_shaped = st.builds(
    "{}@{}.{}".format,
    st.text("ab1._+-", min_size=1),
    st.text("ab1-.", min_size=1),
    st.sampled_from(["com", "local", "c", "test"]),
)


@given(_letters | _shaped | st.emails())
@example(f"a@{'b' * 64}.com")
def test_a_column_is_read_as_each_of_its_addresses_is(address: str) -> None:
    """So what the column's quick pattern takes, the library takes unchanged."""
    assert normalised(pl.Series([address])).item() == normalise(address)


@given(
    _letters
    | _shaped
    | st.emails()
    | st.text(max_size=12).map("{0}@example.com".format)
    | st.text(max_size=9).map("a@b{0}.com".format)
)
def test_whoever_was_identified_before_is_the_same_person_now(address: str) -> None:
    """State holds digests of addresses, so a valid one keeps its form, unless another mailbox was made of it by mistake."""
    with contextlib.suppress(EmailNotValidError):
        before = validate_email(address.strip().lower(), check_deliverability=False).normalized.lower()
        if not re.search(rf"[\u0130\u3002\uff01-\uff5e\ufffd{UNSEEN}]", address):
            assert normalise(address) == before


@given(st.lists(_shaped | st.emails(), max_size=20))
def test_a_column_is_judged_as_its_addresses_are_one_by_one(addresses: list[str]) -> None:
    assert normalised(pl.Series(addresses, dtype=pl.String)).to_list() == [
        normalise(address.lower()) for address in addresses
    ]
