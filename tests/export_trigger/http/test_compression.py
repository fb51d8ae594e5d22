"""An answer is compressed for whoever takes it so, and for nobody else."""

from __future__ import annotations

import pytest

from export_trigger.http.compression import LEAST, compressed, takes_gzip

TAKING = [
    "gzip",
    "br, gzip",
    "GZIP",
    "gzip;q=0.1",
    "gzip ; q=1.000",
    "*",
    "br;q=1, *;q=0.5",
    "x-gzip",
    "identity, gzip",
]
REFUSING = ["", "br", "gzip;q=0", "gzip; q=0.000", "*, gzip;q=0", "*;q=0", "gzipped", "not-gzip", "gzip;q=x", "br;q=1,"]


@pytest.mark.parametrize("accepted", TAKING)
def test_gzip_that_is_taken(accepted: str) -> None:
    assert takes_gzip(accepted)
    assert compressed(b"x" * LEAST, accepted)[1]["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("accepted", REFUSING)
def test_gzip_that_is_not_taken(accepted: str) -> None:
    assert not takes_gzip(accepted)
    assert compressed(b"x" * LEAST, accepted) == (b"x" * LEAST, {"Vary": "Accept-Encoding"})
