"""Traces of broken lines: however many rows stand in one, it weighs as many; what names people in it is among the candidates."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.sources.blob_export.dialect import rows
from shared.sources.blob_export.lines import LONGEST_LINE, LongLine, Tally, lines
from shared.sources.blob_export.tables import Dialect
from shared.sources.blob_export.traces import MOST_OF_LINE, UNTOLD, Tracer, Usual, usual_row

USUAL: Final = Usual(40)


def row(number: int, delimiter: str = ",") -> str:
    return delimiter.join((f"c{number:07}", f"Name{number}", f"person{number}@example.com"))


def tracer(delimiter: str = ",") -> Tracer:
    return Tracer(delimiter, 3, USUAL)


@given(
    st.integers(2, 300),
    st.sampled_from(["", "\r", "\x1e", "\x85", "\u2028", " ", "\\n", "\\r\\n"]),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_rows_in_one_line_weigh_as_many(count: int, between: str, delimiter: str) -> None:
    trace = tracer(delimiter).of_line(between.join(row(number, delimiter) for number in range(count)))
    assert trace.weight == count
    named = {f"c{number:07}" for number in range(count)} | {f"person{number}@example.com" for number in range(count)}
    assert not between or named <= set(trace.candidates)
    assert {"c0000000", f"person{count - 1}@example.com"} <= set(trace.candidates)


@pytest.mark.parametrize(
    "line", [row(7), 'c7,"Lee, Ann",a@b.co', 'c7,Ann "A" Lee,a@b.co', "c7,Lee, Ann,a@b.co", "few", ""]
)
def test_a_row_of_one_person_weighs_one(line: str) -> None:
    assert tracer().of_line(line).weight == 1


@pytest.mark.parametrize("text", ["x" * 2_000_000, '"' + "one, two\n" * 200_000 + '"'], ids=["letters", "prose"])
def test_a_long_value_that_somebody_meant_weighs_one(text: str) -> None:
    line = f"c7,{text},a@b.co".replace("\n", " ")
    (found,) = lines([line], ",", 3)
    assert isinstance(found, LongLine)
    trace = tracer().of_line(found)
    assert trace.weight == 1
    assert {"c7", "a@b.co"} <= set(trace.candidates)


def test_an_answer_of_a_service_is_untold_wherever_it_begins() -> None:
    for answer in ('{"error":{"code":1}}', '{ "message": "x"}', "<?xml version='1.0'?>", "<!DOCTYPE html>", "<HTML>"):
        assert tracer().of_line("c7,Na" + answer).weight == UNTOLD


def test_candidates_are_bounded_and_a_line_beyond_them_is_untold() -> None:
    one = tracer()
    many = " ".join(f"{number:0100}" for number in range(10_400))
    assert len(one.of_line(many).candidates) <= MOST_OF_LINE
    while one.left > 0:
        one.of_line(many)
    assert one.of_line(row(7)) == (one.of_line(row(8)))
    assert (one.of_line(row(7)).weight, one.of_line(row(7)).candidates) == (UNTOLD, ())


@given(st.text(max_size=60) | st.text('ab@,"\\n\r\0\udfff <>{', max_size=60))
@example("\udfff@\udfff")
def test_candidates_are_texts_without_delimiters(line: str) -> None:
    for candidate in tracer().of_line(line).candidates:
        assert candidate
        assert not {",", "\udfff"} & {*candidate}


@given(st.lists(st.text('a,"@\n\r', max_size=9), max_size=12), st.integers(1, 5))
def test_a_line_is_counted_the_same_however_its_text_is_cut(texts: list[str], size: int) -> None:
    whole = "".join(texts).replace("\r", "").replace("\n", "")
    cut = Tally(",", 3)
    for start in range(0, len(whole), size):
        cut.take(whole[start : start + size])
    assert cut == Tally(",", 3).take(whole)


@settings(max_examples=20)
@given(st.integers(LONGEST_LINE - 3, LONGEST_LINE + 3), st.integers(1 << 17, 1 << 19))
def test_a_line_is_whole_up_to_its_bound_and_known_by_its_beginning_beyond(length: int, size: int) -> None:
    text = "x" * length + "\n" + "y\n"
    first, second = lines((text[start : start + size] for start in range(0, len(text), size)), ",", 3)
    assert (isinstance(first, LongLine), second) == (length > LONGEST_LINE, "y\n")
    if isinstance(first, LongLine):
        assert first.tally.length == length
    assert first == text[: min(length, LONGEST_LINE + 1)] + "\n"


def test_a_usual_row_is_the_median_of_the_whole_lines() -> None:
    assert usual_row(b"a@b\n\n1234567\n1\nover the edge, cut", 3) == Usual(3, 1)
    assert usual_row(b"one that is cut", 3) == Usual(48)


def test_lines_that_are_broken_together_have_a_trace_each() -> None:
    text = 'c1,"Ann,a@b.co\nc2,Bob,b@b.co\nc3,Cy",c@b.co\nc4\rc5,Ed\n'
    broken = [found.line.strip() for found in rows([text], Dialect(), width=3) if found.broken]
    assert broken == [*text.split("\n")[:3], "c4", "c5,Ed"]
