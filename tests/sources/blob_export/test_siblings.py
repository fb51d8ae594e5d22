"""Files of one table that are unlike each other: what one shows of the others is believed, and the run ends by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.reasons.codes import Reason
from tests.sources.blob_export.cases import BODY, HEADER, OTHER, PEOPLE, SEVEN, VIP, blobs, people, refusal
from tests.sources.blob_export.memory import Blob

FIRST = "Export/VIP/a.csv"
WHOLE = HEADER + BODY
TURNED = "".join(",".join((f"c{n}", f"n{n}@example.com", f"Name{n}")) + "\n" for n in range(5))
"""Rows in another order than model.json: the address before the first name."""


@given(st.integers(1, len("Name9,person9@example.com\n")), st.booleans(), st.sampled_from(["", "\r"]))
def test_wherever_a_file_is_cut_in_its_last_row_it_is_named_and_not_read(lost: int, header: bool, end: str) -> None:
    text = ((HEADER if header else "") + BODY).replace("\n", f"{end}\n")
    found = refusal(blobs(VIP, b=text.encode()[: -lost - len(end)]))
    assert (found.reason, OTHER in found.detail) == (Reason.SOURCE_MALFORMED, True)


@pytest.mark.parametrize("header", ["", HEADER])
def test_a_file_may_be_cut_within_its_last_value_if_the_others_end_with_a_line(header: str) -> None:
    cut = (header + BODY)[:-2].encode()
    assert (
        f"{OTHER} ends without a line end, although other files of 'VIP' have one" in refusal(blobs(VIP, b=cut)).detail
    )


@pytest.mark.parametrize("text", [HEADER.strip(), "\ufeff" + HEADER.strip()], ids=["header", "mark and header"])
def test_a_header_without_a_line_end_may_have_lost_its_rows(text: str) -> None:
    assert "ends without a line end" in refusal(blobs(VIP, b=text.encode())).detail


def test_files_that_all_end_without_a_line_end_are_whole() -> None:
    found = blobs(VIP, b=BODY.rstrip().encode())
    found[FIRST] = Blob(SEVEN.rstrip())
    assert people(found) == PEOPLE


@pytest.mark.parametrize("end", ["\n", "\n \t", "\r\n\x1a", "\n\n\n"])
def test_blanks_behind_the_last_line_end_cut_nothing_off(end: str) -> None:
    assert people(blobs(VIP, b=(WHOLE.rstrip() + end).encode())) == PEOPLE


def test_a_header_alone_does_not_say_how_lines_end() -> None:
    """A program that writes line ends between rows writes one behind a header alone, perhaps."""
    found = blobs(VIP, b=BODY.rstrip().encode())
    found[FIRST] = Blob(HEADER.encode())
    assert people(found) == PEOPLE[7:]


@pytest.mark.parametrize(
    "header",
    ["CustomerId,Email,FirstName\n", "CustomerId,Email,FirstName,Phone\n", "CustomerId,Email,Vorname\n"],
    ids=["another order", "a column more", "another name"],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_file_without_a_header_is_not_read_beside_a_header_that_model_json_does_not_have(
    header: str, first: bool
) -> None:
    rows = TURNED if header.count(",") == 2 else TURNED.replace("\n", ",7\n")
    headed, headless = (FIRST, OTHER) if first else (OTHER, FIRST)
    found = blobs(VIP)
    found |= {headed: Blob((header + rows).encode()), headless: Blob(BODY.encode())}
    end = refusal(found, ("Email",))
    assert end.reason is Reason.SOURCE_MALFORMED
    assert f"{headless} has no header, and that of {headed} names other columns" in end.detail


@pytest.mark.parametrize("header", [HEADER, HEADER.upper(), "\ufeff CustomerId ,FirstName\u200b,Email\n"])
def test_a_file_without_a_header_is_read_beside_one_whose_header_is_the_order_of_model_json(header: str) -> None:
    found = blobs(VIP, b=BODY.encode())
    found[FIRST] = Blob(header.encode() + SEVEN.partition(b"\n")[2])
    assert people(found) == PEOPLE


def test_files_whose_headers_differ_are_read_by_their_own() -> None:
    found = blobs(VIP, b=("CustomerId,Email,FirstName\n" + TURNED).encode())
    assert people(found)[7:] == [(f"c{n}", f"Name{n}", f"n{n}@example.com") for n in range(5)]
