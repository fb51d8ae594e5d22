"""Text in one spelling: the same value gives the same text, however a system wrote it, and nothing in it is unseen.

Nearly every text consists of letters that have one spelling only; but for blanks around it, it stays as it is. Only the
rest is looked at closer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

_ASCII: Final = r"\x20-\x7e"
_UNQUOTED: Final = r"\x20\x21\x23-\x5b\x5d-\x7e"
"""The same without the quote and the backslash, which JSON escapes."""

_SHOWING: Final = (
    r"\x{a1}-\x{ac}\x{ae}-\x{2ff}"  # Latin
    r"\x{390}-\x{482}\x{48a}-\x{52f}\x{5d0}-\x{5ea}\x{621}-\x{64a}\x{1e00}-\x{1eff}"  # Greek, Cyrillic, Hebrew, Arabic
    r"\x{2010}-\x{2027}\x{2030}-\x{205e}\x{20a0}-\x{20bf}"  # dashes, quotes, currencies
    r"\x{3001}-\x{3029}\x{3041}-\x{3096}\x{309b}-\x{30ff}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}"  # Japanese, Han, Hangul
)
"""Characters that show, stand alone and are composed already."""

_NOT_PLAIN: Final = rf"[^{_ASCII}{_SHOWING}]"
_NOT_BARE: Final = rf"[^{_UNQUOTED}{_SHOWING}]"

_LINE_ENDS: Final = r"\r\n|[\r\x0b\x0c\x{85}\x{2028}\x{2029}]"
_BLANKS: Final = r"[\x{a0}\x{2007}\x{202f}]"
_UNSEEN: Final = r"[\x00-\x08\x0e-\x1f\x7f-\x9f\x{200b}\x{2060}-\x{2064}\x{feff}]"
"""Control characters, and characters without a width that mean nothing inside a value: taken out wherever they stand."""

_MARGIN: Final = r"[\s\x{ad}\x{61c}\x{115f}\x{1160}\x{180e}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{206f}\x{2800}\x{3164}\x{ffa0}]"
"""What shows nothing at the ends of a value. Within it may steer how a line is set, so there it stays."""

_ENDS: Final = rf"^{_MARGIN}+|{_MARGIN}+$"
UNSEEN: Final = (
    "\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that show nothing by themselves, as a class of regular expressions: some steer, join or vary their neighbours."""

_NOTHING_SEEN: Final = rf"^[\s{UNSEEN}]+$"

_PLAIN_KEY: Final = r"^[0-9A-Za-z_-]{5,}$"
"""Keys that are in their one spelling already: no placeholder has five such characters in a row and nothing else."""

_UNSEEN_IN_KEYS: Final = f"[{UNSEEN}]"
"""Dropped from a key wherever they stand, as from an address."""

_PLACEHOLDERS: Final = r"^(?i:n/a|#n/a|#null!|<na>|null|\(null\)|<null>|nan|nat|none|nil|\\n|-{1,3}|–|—)$"


@dataclass(frozen=True, slots=True)
class Spelled:
    """Columns of texts in one spelling; those that are `bare` hold nothing that JSON escapes."""

    texts: pl.DataFrame
    bare: frozenset[str]


def in_one_spelling(texts: pl.DataFrame) -> Spelled:
    """Return columns of texts, each text in its one spelling; null where nothing of it can be seen.

    Composed (NFC), lines end in LF, no control character but tab and LF, no zero-width character, no-break spaces are
    spaces, and nothing invisible around it.
    """
    trimmed = texts.select(pl.all().str.strip_chars())
    remarkable, empty = _where_any(trimmed, pl.all().str.contains(_NOT_BARE), pl.all().str.len_bytes() == 0)
    spelled = {name: trimmed[name] for name in trimmed.columns}
    for name in remarkable:
        places = trimmed[name].str.contains(_NOT_PLAIN).arg_true()
        if len(places):
            spelled[name] = trimmed[name].scatter(places, _composed(trimmed[name].gather(places)))
    for name in {*remarkable, *empty}:
        spelled[name] = spelled[name].set(spelled[name].str.len_bytes() == 0, None)
    return Spelled(pl.DataFrame(spelled), frozenset(texts.columns) - frozenset(remarkable))


def with_placeholders(texts: pl.DataFrame) -> list[str]:
    """Return the columns in which a text is what systems write for "no value", such as `NULL` or `N/A`."""
    return _where_any(texts, pl.all().str.contains(_PLACEHOLDERS))[0]


def is_placeholder(texts: pl.Series) -> pl.Series:
    """Return which texts stand for "no value"."""
    return texts.str.contains(_PLACEHOLDERS).fill_null(value=False)


def normalised_keys(keys: pl.Series) -> pl.Series:
    """Return rows' keys (String) in one spelling: without what nobody sees, and null where that is nothing or stands for nothing.

    So nobody is taken for another because of a blank, and nobody is thought to be known by a key that is none.
    """
    places = (~keys.str.contains(_PLAIN_KEY)).arg_true()
    if places.is_empty():
        return keys
    odd = keys.gather(places).str.replace_all(_UNSEEN_IN_KEYS, "").str.strip_chars()
    return keys.clone().scatter(places, odd.set((odd.str.len_bytes() == 0) | is_placeholder(odd), None))


def _where_any(table: pl.DataFrame, *conditions: pl.Expr) -> list[list[str]]:
    """Return for each condition the columns that have any text which fulfils it, all in one look."""
    if not table.width:
        return [[] for _ in conditions]
    looks = [condition.any().name.suffix(f"\0{n}") for n, condition in enumerate(conditions)]
    found = table.select(looks).row(0, named=True)
    return [[name for name in table.columns if found[f"{name}\0{n}"]] for n in range(len(conditions))]


def _composed(texts: pl.Series) -> pl.Series:
    written = pl.col("text")
    for pattern, instead in ((_LINE_ENDS, "\n"), (_BLANKS, " "), (_UNSEEN, "")):
        written = written.str.replace_all(pattern, instead)
    written = written.str.normalize("NFC").str.replace_all(_ENDS, "").str.replace(_NOTHING_SEEN, "")
    return texts.alias("text").to_frame().select(written).to_series()
