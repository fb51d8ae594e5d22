"""A block is proved line by line, and that proves what a look at the whole of it would."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sources.blob_export.blocks import grammar_of, is_doubtful, rows_of_several_lines
from shared.sources.blob_export.dialect import swallows
from shared.sources.blob_export.tables import Dialect

COMMAS, UNQUOTED = Dialect(","), Dialect(",", None)
HARMLESS, SWALLOWING = 'a,"b\nc",d\n', '"1,b,c\n",,\n'
SIGNS = st.lists(st.sampled_from(["a", ",", '"', "\n", "\r\n", "\r", "é"]), max_size=60).map("".join)
FIELDS = st.sampled_from(["a", "é", "", '""', '"b"', '"c\nd"', '"e""f"', '"g,h"', '"\n\n"', '"x,y\r\nz"', '"\r'])


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, int]:
    """Return a text that is regular as a rule, and the width of its rows."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(*[FIELDS] * width), min_size=1, max_size=6))
    return "".join(",".join(row) + draw(st.sampled_from(["\n", "\r\n"])) for row in rows), width


def several_of(text: str, dialect: Dialect, width: int) -> list[list[str]] | None:
    """Return what `rows_of_several_lines` should, by a match of the whole and a walk from line to line."""
    row = grammar_of(dialect, width).row
    if not re.fullmatch(rf"(?:{row}\r?\n)*", text):
        return None
    found: list[list[str]] = []
    taken: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        taken.append(line.removesuffix("\r"))
        if dialect.quote is None or "".join(taken).count('"') % 2 == 0:
            found += [taken] if len(taken) > 1 else []
            taken = []
    return found


@settings(max_examples=1500)
@given(
    blocks() | st.tuples(SIGNS.map(lambda text: text + "\n"), st.integers(1, 4)), st.sampled_from([COMMAS, UNQUOTED])
)
def test_lines_prove_what_the_whole_does(block: tuple[str, int], dialect: Dialect) -> None:
    text, width = block
    grammar = grammar_of(dialect, width)
    several = rows_of_several_lines(text.encode(), grammar)
    assert several == several_of(text, dialect, width)
    if several is not None:
        assert is_doubtful(text.encode(), several, grammar) is any(swallows(row, dialect, width) for row in several)


def test_a_row_is_looked_into_whatever_is_before_it() -> None:
    grammar = grammar_of(COMMAS, 3)

    def doubtful(text: str) -> bool:
        several = rows_of_several_lines(text.encode(), grammar)
        assert several is not None
        return is_doubtful(text.encode(), several, grammar)

    assert not doubtful(HARMLESS * 3)
    assert doubtful(HARMLESS * 3 + "x,y,z\n" + SWALLOWING)
    assert doubtful('a,b,"c\\"\n')  # a backslash may be a way to write a quote


def test_what_ends_amid_a_line_or_is_no_text_is_not_regular() -> None:
    grammar = grammar_of(COMMAS, 2)
    assert rows_of_several_lines(b"a,b\nc,d", grammar) is None
    assert rows_of_several_lines(b"a,b\nc,\xff\n", grammar) is None
    assert rows_of_several_lines(b"a,b\n\n", grammar) is None
    assert rows_of_several_lines(b'a,"b"\n', grammar_of(UNQUOTED, 2)) is None
    assert rows_of_several_lines(b'a,"b\nc"\r\r\n', grammar) is None  # one carriage return too many
