"""What the fuzzer found in partitions, each as short as it can be."""

from __future__ import annotations

import pytest

from shared.sources.source import MALFORMED
from tests.sources.blob_export.export import BODY, HEADER, TWO, Source


@pytest.mark.parametrize("more", [b"", b'3,"C, D",c@example.com,x\n'])
def test_a_header_that_cannot_be_decoded_costs_only_its_column(source: Source, more: bytes) -> None:
    """The names of columns that nobody asks for are compared with values, too."""
    source.table(HEADER.removesuffix(b"\n") + b",Stra\xdfe\n" + BODY.replace(b".com", b".com,x") + more)
    assert source.rows()[:2] == TWO


def test_two_rows_between_stray_quotes_are_no_row_though_both_begin_with_a_quote(source: Source) -> None:
    """Each line could be a row of its own: read quickly it was one, read row by row it was broken."""
    source.table(HEADER + b'"1,Ann,ann@example.com\n\n",,\n' + b'"2",Bob,bob@example.com\n' * 4)
    assert source.read()[MALFORMED].to_list() == [True, True, True, False, False, False, False]
