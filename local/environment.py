"""A made-up Customer Insights environment: dummy people with the mess real profiles have, in segments that change.

Everything is drawn from a seed. Addresses are at example.com, .org and .net; what is wrong with them is put in on
purpose and known, so that what an export should deliver can be said without asking the code that delivers it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local.commands import CannotGoOn, run_command

FIRST_NAMES: Final = (
    "Zukiswa",
    "Mauno",
    "Paata",
    "Merei",
    "Ana",
    "Bjørn",
    "Chloé",
    "José",
    "Li",
    "Zoë",
    "Ngozi",
    "Ümit",
)
LAST_NAMES: Final = (
    "Ntengo",
    "Kilpi",
    "Gagnidze",
    "O'Brien",
    "Smith, Jr.",
    "Müller",
    "Nguyễn",
    "de la Cruz",
    'van "V" Dyk',
)
CITIES: Final = (("Glendale", "AZ"), ("Westmore", "VT"), ("Pittsfield", "MA"), ("Pasadena", "MD"), ("Tucson", "AZ"))
TIERS: Final = ("Bronze", "Silver", "Gold")

SEGMENTS: Final[Mapping[str, pl.Expr]] = {
    "NewsletterSubscribers": pl.col("NewsletterConsent") == "true",
    "LoyaltyGold": pl.col("LoyaltyTier") == "Gold",
    "LapsedCustomers": pl.col("draw") % 7 == 0,
}
"""Segments by rules over a profile; they overlap."""

_HIDDEN: Final = ("draw", "valid")
_PARTITION_ROWS: Final = 250_000


@dataclass(frozen=True, slots=True)
class Company:
    """A company's profiles: a row each, all columns text but two of our own (`draw`, a number; `valid`, can be delivered)."""

    profiles: pl.DataFrame
    seed: int
    refresh: int = 0

    @classmethod
    def found(cls, people: int, seed: int = 1) -> Company:
        """Draw a company of `people` profiles."""
        return cls(_draw(0, people, seed), seed)

    def segment(self, name: str) -> pl.DataFrame:
        """Return a segment's rows."""
        return self.profiles.filter(SEGMENTS[name])

    def expected_members(self, name: str) -> set[str]:
        """Return the addresses that an export of the segment must deliver: valid ones, trimmed, lower case, once."""
        rows = self.segment(name).filter("valid")
        return set(rows["Email"].str.strip_chars().str.to_lowercase())

    def next_refresh(self, share: float = 0.02) -> Company:
        """Return the company after a refresh: some people gone, some new, some with another tier, points or consent."""
        turn = self.refresh + 1
        people = self.profiles.height
        chance = pl.col("draw").hash(seed=self.seed + turn) % 10_000
        staying = self.profiles.filter(chance >= share * 10_000)
        moved = staying.with_columns(
            pl.when(chance % 50 == 7).then(pl.lit("Gold")).otherwise("LoyaltyTier").alias("LoyaltyTier"),
            pl.when((chance % 50 == 9) & pl.col("valid")).then(pl.lit("4711")).otherwise("Points").alias("Points"),
            pl.when(chance % 60 == 11).then(pl.lit("false")).otherwise("NewsletterConsent").alias("NewsletterConsent"),
        )
        new = _draw(people * (turn + 1), max(1, int(people * share)), self.seed + turn)
        return Company(pl.concat([moved, new]), self.seed, turn)

    def publish(self, service: BlobServiceClient, path: str, when: datetime | None = None) -> None:
        """Write a new snapshot of every segment and of the Customer table, as the Blob export does; model.json last."""
        tables = {name: self.segment(name).drop(_HIDDEN) for name in SEGMENTS}
        publish(service, path, {**tables, "Customer": self.profiles.drop(_HIDDEN)}, when or datetime.now(UTC))


def publish(service: BlobServiceClient, path: str, tables: Mapping[str, pl.DataFrame], when: datetime) -> None:
    """Lay tables out as Customer Insights' Blob export would under `path` (container/folder)."""
    container, _, folder = path.partition("/")
    with contextlib.suppress(ResourceExistsError):
        service.create_container(container)
    client = service.get_container_client(container)
    entities = []
    for name, table in tables.items():
        partitions = []
        for number, part in enumerate(list(table.iter_slices(_PARTITION_ROWS)) or [table], start=1):
            blob = client.get_blob_client(f"{folder}/{name}/{when:%Y/%m/%d/%H%M}/{name}_{number}.csv")
            blob.upload_blob(part.write_csv(quote_style="always").encode(), overwrite=True)
            partitions.append(_partition(f"{name}_{number}", blob.url, when))
        entities.append(_entity(name, table.columns, partitions))
    model = {
        "application": "CustomerInsights",
        "name": "BlobExport",
        "version": "1.0",
        "modifiedTime": when.isoformat(),
        "entities": entities,
    }
    client.upload_blob(f"{folder}/model.json", json.dumps(model, indent=2), overwrite=True)


def _entity(name: str, columns: list[str], partitions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$type": "LocalEntity",
        "name": name,
        "annotations": [{"name": "c360:PrimaryKey", "value": "CustomerId"}],
        "attributes": [{"name": column, "dataType": "string"} for column in columns],
        "partitions": partitions,
    }


def _partition(name: str, location: str, when: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "refreshTime": when.isoformat(),
        "location": location,
        "fileFormatSettings": {
            "$type": "CsvFormatSettings",
            "columnHeaders": True,
            "delimiter": ",",
            "quoteStyle": "QuoteStyle.Csv",
            "csvStyle": "CsvStyle.QuoteAlways",
            "encoding": "UTF-8",
        },
    }


_NUMBER: Final = pl.col("number")
_DRAW: Final = pl.col("draw")


def _pick(values: tuple[str, ...], by: int) -> pl.Expr:
    return ((_DRAW // by) % len(values)).replace_strict(dict(enumerate(values)), return_dtype=pl.String)


def _email(start: int) -> pl.Expr:
    """Return addresses of people numbered from `start`; of 101 one has none, one is wrong, one is spelt oddly, one may be another person's."""
    plain = pl.format("person{}@example.{}", _NUMBER, _pick(("com", "org", "net"), 3))
    return (
        pl.when(_DRAW % 101 == 1)
        .then(pl.lit(""))
        .when(_DRAW % 101 == 2)
        .then(pl.format("person{} at example.com", _NUMBER))
        .when(_DRAW % 101 == 3)
        .then(pl.format("  PERSON{}@Example.COM ", _NUMBER))
        .when((_DRAW % 101 == 4) & _NUMBER.gt(start))
        .then(pl.format("person{}@example.com", _NUMBER - _NUMBER % 10))
        .otherwise(plain)
    )


def _draw(start: int, people: int, seed: int) -> pl.DataFrame:
    """Draw people numbered from `start`, some with something wrong with them."""
    number, draw, pick = _NUMBER, _DRAW, _pick
    table = pl.DataFrame({"number": pl.int_range(start, start + people, eager=True)}).with_columns(
        (number.hash(seed=seed) % 1_000_003).cast(pl.Int64).alias("draw")
    )
    city = tuple(name for name, _ in CITIES)
    state = dict(enumerate(state for _, state in CITIES))
    points = pl.when(draw % 211 == 5).then(pl.lit("n/a")).otherwise((draw % 5000).cast(pl.String))
    return table.with_columns(_email(start).alias("Email"), points.alias("Points")).select(
        pl.format(
            "{}{}", (number * 2_654_435_761 % 2**31).cast(pl.String).str.zfill(10), pl.lit("c1d2e3f4a5b6978812ab34")
        ).alias("CustomerId"),
        pick(FIRST_NAMES, 1).alias("FirstName"),
        pick(LAST_NAMES, 5).alias("LastName"),
        pick(("Female", "Male", "Gender neutral"), 11).alias("Gender"),
        "Email",
        pl.format("801-555-0{}", (draw % 900 + 100).cast(pl.String)).alias("Telephone"),
        pl.lit("United States").alias("Country"),
        pick(city, 13).alias("City"),
        ((draw // 13) % len(CITIES)).replace_strict(state, return_dtype=pl.String).alias("State"),
        (draw % 89_999 + 10_000).cast(pl.String).alias("PostCode"),
        pl.when(draw % 37 == 0)
        .then(pl.format('{} Main Street\nApt "{}", rear', draw % 999, draw % 9))
        .otherwise(pl.format("{} Main Street", draw % 999))
        .alias("StreetAddress"),
        pl.format(
            "{}-{}-{}T00:00:00.000Z",
            draw % 60 + 1940,
            (draw % 12 + 1).cast(pl.String).str.zfill(2),
            (draw % 28 + 1).cast(pl.String).str.zfill(2),
        ).alias("DateOfBirth"),
        pl.when(draw % 19 == 0).then(pl.lit("")).otherwise(pick(TIERS, 17)).alias("LoyaltyTier"),
        "Points",
        pl.when(draw % 3 == 0).then(pl.lit("true")).otherwise(pl.lit("false")).alias("NewsletterConsent"),
        pl.format("{}/{}/{}", draw % 12 + 1, draw % 28 + 1, draw % 6 + 2020).alias("LastPurchase"),
        pl.format("{}.{}", draw % 10_000, (draw % 100).cast(pl.String).str.zfill(2)).alias("LifetimeValue"),
        pl.format("{}.0", number).alias("crm_contacts_cid"),
        pl.format("{}.0;{}.0", number, number + 1).alias("crm_contacts_cid_Alternate"),
        pl.lit("").alias("shop_orders_sid"),
        pl.lit("").alias("shop_orders_sid_Alternate"),
        "draw",
        (~(draw % 101).is_in([1, 2])).alias("valid"),
    )


def main() -> int:
    """Publish a made-up environment to a storage account, by default the local stack's."""
    parser = argparse.ArgumentParser(prog="python -m local.environment", description=__doc__)
    parser.add_argument("--rows", type=int, default=5000, help="profiles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--refresh", type=int, default=0, help="how many refreshes later")
    parser.add_argument("--connection-string", default=os.environ.get("CustomerInsightsStorage"))  # noqa: SIM112
    parser.add_argument("--path", default="customer-insights/BlobExport")
    options = parser.parse_args()
    connection = options.connection_string or _local_storage()
    company = Company.found(options.rows, options.seed)
    for _ in range(options.refresh):
        company = company.next_refresh()
    with BlobServiceClient.from_connection_string(connection) as service:
        company.publish(service, options.path)
    for name in SEGMENTS:
        print(f"{name}: {company.segment(name).height} rows, {len(company.expected_members(name))} to deliver")
    return 0


def _local_storage() -> str:
    """Return the connection string of the local stack that is up; raises CannotGoOn if none is."""
    try:
        stack = json.loads(Path(".local/stack.json").read_text())
    except FileNotFoundError:
        raise CannotGoOn(
            "No local stack is up in this folder. Start one with make run in another terminal, and wait until it says so."
        ) from None
    return str(stack["customer_insights_connection_string"])


if __name__ == "__main__":
    sys.exit(run_command(main))
