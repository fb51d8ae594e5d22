"""Made-up rows in the shape of a Customer Insights `Customer` table: columns, kinds, gaps and oddities of a real one.

Counted in a table of 2,000 rows that Microsoft published: 27 columns, no blank address, 14 addresses that two CustomerIds
share, 5 addresses with two dots in a row, one in twenty with letters beyond ASCII, apostrophes in names, survey columns
that are empty in half of the rows, and numbers that are written as `877.0`.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final

import polars as pl

ROWS: Final = 2000
SHARED: Final = 14
"""Addresses that two rows have."""
TORN: Final = 5
"""Addresses that hold two dots in a row."""

_FIRST: Final = (
    "Aiko Amara Anna Bela Bruno Carla Chidi Clara Dana Dario Edda Emil Farid Flora Gita Goran Hana Henrik Ines Ivo Jana Jonas Kaya"
    " Kofi Lena Luan Maren Milo Nadia Nuno Olga Omar Pia Quentin Rosa Ruben Sana Silas Tara Tomas Uma Vera Wanda Yara Zeno"
)
_LAST: Final = (
    "Abara Alder Bakke Berg Castel Corvo Dahl Dorn Eklund Ferro Falk Grau Hollis Ibsen Jansen Kade Keller Lind Marlow Moreau Novak"
    " Okoro Orsini Pell Quist Rossi Sato Stern Tamm Ulrich Varga Weiss Xanthos Yilmaz Zeller"
)
_BEYOND_ASCII: Final = ("Jónas", "Zoë", "Žofia", "Nguyễn", "Siobhán", "Łucja", "Adàọ̀ra")
_APOSTROPHE: Final = ("D'Arvo", "O'Rell", "Ta'alo")
_STATES: Final = {
    "AZ": ("Glendale", "85301"),
    "CA": ("Pasadena", "91101"),
    "CO": ("Arvada", "80002"),
    "AR": ("Fayetteville", "72701"),
    "MA": ("Westmore", "1060"),
    "VT": ("Westmore", "5860"),
    "AL": ("Montgomery", "36101"),
    "CT": ("Manchester", "6040"),
}
_SURVEYS: Final = {"Move-in": "Staff Courtesy", "Renewal": "Condition of Property"}


def customers(seed: int = 2000) -> pl.DataFrame:
    """Make the table: all columns as text, as a CSV file has them; the same each time."""
    dice = random.Random(seed)
    rows = [_customer(dice, number) for number in range(ROWS - SHARED)]
    rows += [{**row, "CustomerId": _customer_id(dice)} for row in rows[:SHARED]]
    for row in rows[SHARED : SHARED + TORN]:
        row["Email"] = str(row["Email"]).replace(".", "..", 1)
    dice.shuffle(rows)
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def _customer(dice: random.Random, number: int) -> dict[str, str | None]:
    first = dice.choice(_BEYOND_ASCII if number % 20 == 19 else _FIRST.split())
    last = dice.choice(_APOSTROPHE if number % 50 == 49 else _LAST.split())
    email = f"{first}.{last}{number}@contoso.com".lower()
    state = dice.choice(list(_STATES))
    city, post_code = _STATES[state]
    survey = dice.choice(list(_SURVEYS)) if dice.random() < 0.48 else None
    last_answer = dice.randrange(200, 9999)
    source1, source2 = f"{number + 1}.0" if dice.random() < 0.7 else None, f"{number + 1000}.0"
    return {
        "CustomerId": _customer_id(dice),
        "pid": f"{dice.randrange(1, 10) * 1111}.0" if survey else None,
        "surveytype": survey,
        "surverydate": _day(dice, 2009, 2021) if survey else None,
        "question": _SURVEYS[survey] if survey else None,
        "answer": f"{dice.randrange(6)}.0" if survey else None,
        "FirstName": first,
        "LastName": last if number % 220 else None,
        "Name": f"{first} {last}",
        "Gender": dice.choices(["Female", "Male", "Gender neutral"], [46, 45, 9])[0],
        "Email": email,
        "Telephone": "801-555-0100",
        "Country": "United States",
        "City": city if number % 130 else None,
        "State": state,
        "PostCode": post_code,
        "StreetAddress": "12345 Main Street",
        "DateOfBirth": _day(dice, 1950, 2003),
        "CreatedDate": _day(dice, 2011, 2021),
        "Source": "Source1" if source1 else "Source2",
        "SurveyEmail": email if survey else None,
        "sourcedata_residents_source1_cid": source1,
        "sourcedata_residents_source1_cid_Alternate": source1,
        "sourcedata_residents_source2_cid": None if source1 else source2,
        "sourcedata_residents_source2_cid_Alternate": None if source1 else source2,
        "sourcedata_surveys_sid": f"{last_answer}.0" if survey else None,
        "sourcedata_surveys_sid_Alternate": ";".join(map(str, range(last_answer - 4, last_answer + 1)))
        if survey
        else None,
    }


def _customer_id(dice: random.Random) -> str:
    return f"{dice.getrandbits(128):032x}"


def _day(dice: random.Random, first: int, last: int) -> str:
    day = date(first, 1, 1) + timedelta(days=dice.randrange(365 * (last - first)))
    return f"{day}T00:00:00.000Z"
