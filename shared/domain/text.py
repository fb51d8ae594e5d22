"""Text in one spelling: the same value gives the same text, however a system wrote it, and nothing in it is unseen.

Nearly every text consists of letters that have one spelling only; but for blanks around it, it stays as it is. Only the
rest is looked at closer.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_NOT_PLAIN: Final = (
    r"[^\x20-\x7e\x{a1}-\x{ac}\x{ae}-\x{2ff}"  # Latin
    r"\x{390}-\x{482}\x{48a}-\x{52f}\x{5d0}-\x{5ea}\x{621}-\x{64a}\x{1e00}-\x{1eff}"  # Greek, Cyrillic, Hebrew, Arabic
    r"\x{2010}-\x{2027}\x{2030}-\x{205e}\x{20a0}-\x{20bf}"  # dashes, quotes, currencies
    r"\x{3001}-\x{3029}\x{3041}-\x{3096}\x{309b}-\x{30ff}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}]"  # Japanese, Han, Hangul
)
"""Any character but those that show, stand alone and are composed already."""

_LINE_ENDS: Final = r"\r\n|[\r\x0b\x0c\x{85}\x{2028}\x{2029}]"
_BLANKS: Final = r"[\x{a0}\x{2007}\x{202f}]"
_UNSEEN: Final = r"[\x00-\x08\x0e-\x1f\x7f-\x9f\x{200b}\x{2060}-\x{2064}\x{feff}]"
"""Control characters, and characters without a width that mean nothing inside a value: taken out wherever they stand."""

_MARGIN: Final = r"[\s\x{ad}\x{61c}\x{115f}\x{1160}\x{180e}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{206f}\x{2800}\x{3164}\x{ffa0}]"
"""What shows nothing at the ends of a value. Within it may steer how a line is set, so there it stays."""

_ENDS: Final = rf"^{_MARGIN}+|{_MARGIN}+$"
_JOINERS_ONLY: Final = r"^[\x{200c}\x{200d}\x{34f}\x{fe00}-\x{fe0f}]+$"
"""Characters that join or vary their neighbours; alone they show nothing."""

_PLACEHOLDERS: Final = r"^(?i:n/a|#n/a|#null!|<na>|null|\(null\)|<null>|nan|nat|none|nil|\\n|-{1,3}|–|—)$"
_LONGEST_PLACEHOLDER: Final = 7


def in_one_spelling(texts: pl.Series) -> pl.Series:
    """Return each text in its one spelling; null where nothing of it can be seen.

    Composed (NFC), lines end in LF, no control character but tab and LF, no zero-width character, no-break spaces are
    spaces, and nothing invisible around it.
    """
    bare = texts.str.strip_chars()
    special = bare.str.contains(_NOT_PLAIN)
    if special.any():
        places = special.arg_true()
        bare = bare.scatter(places, _composed(bare.gather(places)))
    empty = bare.str.len_bytes() == 0
    return bare.zip_with(~empty, pl.Series([None], dtype=pl.String)) if empty.any() else bare


def is_placeholder(texts: pl.Series) -> pl.Series:
    """Tell which texts are what systems write for "no value", such as `NULL` or `N/A`."""
    short = texts.str.len_bytes() <= _LONGEST_PLACEHOLDER
    places = short.arg_true()
    found = places.filter(texts.gather(places).str.contains(_PLACEHOLDERS))
    return pl.repeat(value=False, n=len(texts), eager=True).scatter(found, values=True) if len(found) else _none(texts)


def _none(texts: pl.Series) -> pl.Series:
    return pl.repeat(value=False, n=len(texts), eager=True)


def _composed(texts: pl.Series) -> pl.Series:
    written = pl.col("text").str.normalize("NFC")
    for pattern, instead in ((_LINE_ENDS, "\n"), (_BLANKS, " "), (_UNSEEN, ""), (_ENDS, ""), (_JOINERS_ONLY, "")):
        written = written.str.replace_all(pattern, instead)
    return texts.alias("text").to_frame().select(written).to_series()
