"""`AUTOPILOT_URL=.../v1 python make_b03f0d3.py FILE`, inside a checkout of b03f0d3: make a stored world with its code.

`b03f0d3.zip` was made so, with the sandbox of a later checkout at AUTOPILOT_URL, since that commit's own cannot save its
account. Its digests are BLAKE2b's. In it: the export `team`, of whom one person was erased and one left, and `club`,
which keeps whoever leaves, of whom one left. The vault's key and everything else is that commit's own doing.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

import requests
from azure.data.tables import EntityProperty, TableServiceClient
from azure.storage.blob import BlobServiceClient

from local.stack import Stack
from local.world import SIMPLE, World, people

QUICK: Final = {"SETTLE_SECONDS": "0", "EXPORT_SCHEDULE": "0 0 0 1 1 *", "SUPERVISION_SCHEDULE": "0 0 0 1 1 *"}
TEAM: Final = tuple(f"member{number}@example.com" for number in range(12))
CLUB: Final = tuple(f"guest{number}@example.com" for number in range(6))
ERASED: Final = "member3@example.com"
SECRETS: Final = ("segment-export-digest-key", "autopilot-main")


def main() -> None:
    """Make the world and save it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), settings=QUICK, in_memory=True) as stack,
    ):
        world = World(stack)
        world.publish({"Team": people(*TEAM), "Club": people(*CLUB)})
        world.connect("main", display_name="Main")
        world.save("team", segments=["Team"], mapping=SIMPLE)
        world.save("club", segments=["Club"], mapping=SIMPLE, leavers="keep")
        for name in ("team", "club"):
            assert world.run(name)["status"] == "Successful", world.run(name)
        world.publish({"Team": people(*TEAM).slice(1), "Club": people(*CLUB).slice(1)})
        for name in ("team", "club"):
            assert not world.run(name)["counts"]["rejected"]
        world.api.post("erasure", {"email": ERASED})
        save(stack, Path(sys.argv[1]))
        world.close()


def save(stack: Stack, file: Path) -> None:
    """Write what `tests.upgrade.snapshot` loads."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with BlobServiceClient.from_connection_string(stack.storage) as blobs:
            for container in blobs.list_containers():
                client = blobs.get_container_client(container.name)
                for name in client.list_blob_names():
                    archive.writestr(f"blobs/{container.name}/{name}", client.download_blob(name).readall())
        with TableServiceClient.from_connection_string(stack.storage) as tables:
            for table in tables.list_tables():
                entities = [_plain(entity) for entity in tables.get_table_client(table.name).list_entities()]
                archive.writestr(f"tables/{table.name}.jsonl", "".join(f"{json.dumps(item)}\n" for item in entities))
        archive.writestr("vault.json", json.dumps({name: stack.secret(name) for name in SECRETS}))
        sandbox = os.environ["AUTOPILOT_URL"].removesuffix("/v1")
        archive.writestr("autopilot.json", requests.get(f"{sandbox}/sandbox/account", timeout=60).content)


def _plain(entity: Any) -> dict[str, Any]:
    """Return a record as JSON values; a 64-bit number keeps its type."""
    return {
        name: f"int64:{value.value}" if isinstance(value, EntityProperty) else value for name, value in entity.items()
    }


if __name__ == "__main__":
    main()
