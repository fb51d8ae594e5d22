"""Where a run's blobs lie, and how tables of them are written and read: Parquet, with the lists' ids in its metadata."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence

import polars as pl

from shared.azure.storage import Container, Storage, TooLarge
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.state.seal import BLANK_SEAL, is_broken, sealed
from shared.state.state import SCHEMA, State

_LISTS = "lists"
_SEAL = "seal"


class Damaged(Exception):
    """A stored table is missing, or is not what we wrote. The text names the blob and holds nothing of it."""


def chunk_path(export: str, run_id: str, plan: str, chunk: str) -> str:
    """Give the blob of a chunk in container `chunks`."""
    return f"{export}/{run_id}/{plan}/{chunk}.ndjson"


def chunk_names(count: int) -> list[str]:
    """Give the names of a plan's chunks, in order. A continuation of `000007` is named `000007-1-` and more."""
    return [f"{number:06d}" for number in range(1, count + 1)]


def next_name(chunk: str, attempt: str) -> str:
    """Name the chunk that continues `chunk`, as one attempt left it: two attempts may leave different rests."""
    first, turn, *_ = [*chunk.split("-"), "0"]
    return f"{first}-{int(turn) + 1}-{attempt}"


def run_folder(export: str, run_id: str) -> str:
    """Give the folder of a run's blobs, in every container."""
    return f"{export}/{run_id}/"


def planned_rejected_path(export: str, run_id: str, plan: str) -> str:
    """Give the blob of the rows that one attempt at a plan rejected, in container `outcomes`."""
    return f"{run_folder(export, run_id)}plan-{plan}.rejected.parquet"


def identities_path(export: str, run_id: str, plan: str, part: str = "") -> str:
    """Return the blob, or the beginning of the names, of what a plan learnt of whose rows are whose, in `outcomes`."""
    return f"{run_folder(export, run_id)}plan-{plan}.identities-{part}"


def report_path(export: str, run_id: str) -> str:
    """Give the blob of a run's report in container `reports`."""
    return f"{export}/{run_id}.json"


def rejected_path(export: str, run_id: str) -> str:
    """Give the blob of a run's rejected rows in container `rejected`."""
    return f"{export}/{run_id}.csv"


def state_path(export: str, connection: str, run_id: str) -> str:
    """Give the blob of the state that a run left, in container `state`."""
    return f"{export}/{connection}/{run_id}.parquet"


def load_state(storage: Storage, export: str, connection: str, run_id: str | None) -> State:
    """Return the state that a run left, or the empty one; raise ExportError STATE_LOST if it is missing or damaged."""
    if run_id is None:
        return State.empty()
    try:
        people, lists = load_table(storage, Container.STATE, state_path(export, connection, run_id), SCHEMA)
    except Damaged as damage:
        raise ExportError(Reason.STATE_LOST, f"{damage}.") from None
    return State(lists, people)


def load_table(
    storage: Storage, container: Container, name: str, schema: Mapping[str, pl.DataType]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a stored table that has at least the columns of `schema`; raise Damaged for what is missing or something else."""
    try:
        found = storage.get(container, name)
    except TooLarge as error:
        raise Damaged(str(error)) from None
    if found is None:
        raise Damaged(f"{container}/{name} is missing")
    return parse_table(f"{container}/{name}", found[0], schema)


def parse_table(name: str, data: bytes, schema: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a stored table that has at least the columns of `schema`; raise Damaged, by its `name`, for something else."""
    if is_broken(data):
        raise Damaged(f"{name} was altered since it was written")
    try:
        table, lists = read_table(data)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError, TypeError):
        raise Damaged(f"{name} cannot be read") from None
    if not schema.items() <= table.schema.items():
        raise Damaged(f"{name} has other columns than it should")
    return table, lists


def write_table(table: pl.DataFrame, lists: Sequence[str] = ()) -> bytes:
    """Write a table whose masks count through `lists`."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, metadata={_LISTS: json.dumps(list(lists)), _SEAL: BLANK_SEAL})
    return sealed(buffer)


def read_table(data: bytes) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a table and the ids of the lists that its masks count through."""
    lists = json.loads(pl.read_parquet_metadata(io.BytesIO(data)).get(_LISTS, "[]"))
    return pl.read_parquet(io.BytesIO(data)), tuple(lists)
