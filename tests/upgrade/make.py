"""`python -m tests.upgrade.make FILE`: make a stored world with the code of this checkout.

`8dd6ca5.zip` was made so from that commit. In it: the export `loyalty` of three overlapping segments after two refreshes,
`team`, of whom one person was erased and one left, `other` on a second connection with the same key, and `flight`, whose
only host was killed in the middle of its first run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl
from azure.storage.blob import BlobServiceClient

from local.environment import SEGMENTS, Company
from local.stack import Stack
from local.world import SIMPLE, World, people
from shared.exports.configuration import Connection
from tests.upgrade.snapshot import save

QUICK: Final = {"SETTLE_SECONDS": "0", "EXPORT_SCHEDULE": "0 0 0 1 1 *", "SUPERVISION_SCHEDULE": "0 0 0 1 1 *"}
TEAM: Final = tuple(f"member{number}@example.com" for number in range(12))
OTHER: Final = tuple(f"other{number}@example.com" for number in range(5))
FLIGHT: Final = tuple(f"passenger{number}@example.com" for number in range(700))
ERASED: Final = "member3@example.com"
HIDDEN: Final = ("draw", "valid")


def tables(company: Company, team: tuple[str, ...]) -> Mapping[str, pl.DataFrame]:
    """Return all tables of the source at one refresh."""
    segments = {name: company.segment(name).drop(HIDDEN) for name in SEGMENTS}
    staying = people(*TEAM).filter(pl.col("Email").is_in(team))
    others = {"Team": staying, "Other": people(*OTHER), "Flight": people(*FLIGHT)}
    return {**segments, **others}


def company() -> Company:
    """Return the made-up company before its first refresh."""
    return Company.found(150, seed=8)


def main() -> None:
    """Make the world and save it."""
    file = Path(sys.argv[1])
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), settings=QUICK, in_memory=True) as stack,
    ):
        world = World(stack)
        world.publish(tables(company(), TEAM))
        world.connect("main", display_name="Main")
        world.connect("second", display_name="Second")
        world.save("loyalty")
        world.save("team", segments=["Team"], mapping=SIMPLE, clear_empty=True)
        world.save("other", segments=["Other"], mapping=SIMPLE, connection="second")
        for name in ("loyalty", "team", "other"):
            world.run(name)
        world.publish(tables(company().next_refresh(), TEAM[1:]))
        for name in ("loyalty", "team", "other"):
            world.run(name)
        world.api.post("erasure", {"email": ERASED})
        world.wait("team", world.api.post("exports/team/verify")["run"])
        world.save("flight", segments=["Flight"], mapping=SIMPLE)
        world.turn(latency_ms=300)
        world.api.put(
            "connections/main",
            {"display_name": "Main", "api_key": "sandbox-key", "agree_to_privacy": True, "rate_limit": 50},
        )
        run = world.start("flight")
        while not world.api.get(f"exports/flight/runs/{run}")["counts"]["delivered"]:
            time.sleep(0.1)
        stack.hosts[0].kill()
        time.sleep(2)  # what is on the wire arrives
        save(stack, file, secrets=["segment-export-digest-key", *_keys(world)])
        world.close()


def _keys(world: World) -> list[str]:
    """Return the names of the secrets that hold the connections' keys."""
    with BlobServiceClient.from_connection_string(world.stack.storage) as blobs:
        client = blobs.get_container_client("configuration")
        documents = [
            client.download_blob(name).readall() for name in client.list_blob_names(name_starts_with="connections/")
        ]
    return [Connection.model_validate_json(document).secret_name for document in documents]


if __name__ == "__main__":
    main()
