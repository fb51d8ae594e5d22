"""A row's key in one spelling: the same key is the same text, and what stands for "no value" is none.

Every source's keys pass here (`shared.cleaning.clean`), so that nobody is taken for another because of a blank, and nobody
is thought to be known by a key that is none.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from shared.cleaning.text import is_placeholder

_PLAIN: Final = r"^[0-9A-Za-z_-]{5,}$"
"""Keys that are in their one spelling already: no placeholder has five such characters in a row and nothing else."""

_UNSEEN: Final = (
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}"
    r"\x{202a}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}]"
)
"""Characters that show nothing: dropped wherever they stand, as in an address."""


def normalised_keys(keys: pl.Series) -> pl.Series:
    """Return keys (String) in one spelling: without what nobody sees, and null where nothing is left or it stands for nothing."""
    places = (~keys.str.contains(_PLAIN)).arg_true()
    if places.is_empty():
        return keys
    odd = keys.gather(places).str.replace_all(_UNSEEN, "").str.strip_chars()
    return keys.clone().scatter(places, odd.set((odd.str.len_bytes() == 0) | is_placeholder(odd), None))
