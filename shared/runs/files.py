"""Where a run's blobs lie, and how tables of them are written and read: Parquet, with the lists' ids in its metadata."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from shared.azure.records import FIRST, NewerVersion, check_version
from shared.azure.storage import Container, Storage, TooLarge
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.state.digests import SCHEME
from shared.state.seal import BLANK_SEAL, can_be_decoded, is_broken, is_sealed, sealed
from shared.state.state import SCHEMA, State

VERSION: Final = FIRST
"""The version of stored tables."""

_LISTS = "lists"
_SEAL = "seal"
_VERSION = "version"
_DIGESTS = "digests"


class Damaged(Exception):
    """A stored table is missing, or is not what we wrote. The text names the blob and holds nothing of it."""


def chunk_path(export: str, run_id: str, plan: str, chunk: str) -> str:
    """Return the blob of a chunk in container `chunks`."""
    return f"{export}/{run_id}/{plan}/{chunk}.ndjson"


def chunk_names(count: int) -> list[str]:
    """Return the names of a plan's chunks, in order. A continuation of `000007` is named `000007-1-` and more."""
    return [f"{number:06d}" for number in range(1, count + 1)]


def next_name(chunk: str, attempt: str) -> str:
    """Name the chunk that continues `chunk`, as one attempt left it: two attempts may leave different rests."""
    first, turn, *_ = [*chunk.split("-"), "0"]
    return f"{first}-{int(turn) + 1}-{attempt}"


def turn_of(chunk: str) -> tuple[str, int, str]:
    """Return where a chunk stands among others: what continues it comes after it, the tenth time after the second."""
    first, turn, *_ = [*chunk.split("-"), "0"]
    return first, int(turn), chunk


def run_folder(export: str, run_id: str) -> str:
    """Return the folder of a run's blobs, in every container."""
    return f"{export}/{run_id}/"


def planned_rejected_path(export: str, run_id: str, plan: str) -> str:
    """Return the blob of the rows that one attempt at a plan rejected, in container `outcomes`."""
    return f"{run_folder(export, run_id)}plan-{plan}.rejected.parquet"


def identities_path(export: str, run_id: str, plan: str, part: str = "") -> str:
    """Return the blob, or the beginning of the names, of what a plan learnt of whose rows are whose, in `outcomes`."""
    return f"{run_folder(export, run_id)}plan-{plan}.identities-{part}"


def report_path(export: str, run_id: str) -> str:
    """Return the blob of a run's report in container `reports`."""
    return f"{export}/{run_id}.json"


def rejected_path(export: str, run_id: str) -> str:
    """Return the blob of a run's rejected rows in container `rejected`."""
    return f"{export}/{run_id}.csv"


def state_path(export: str, connection: str, run_id: str) -> str:
    """Return the blob of the state that a run left, in container `state`."""
    return f"{export}/{connection}/{run_id}.parquet"


def load_state(storage: Storage, export: str, connection: str, run_id: str | None) -> State:
    """Return the state that a run left, or the empty one.

    Raise ExportError STATE_LOST if it is missing or damaged, and NewerVersion if this code cannot read it.
    """
    if run_id is None:
        return State.empty()
    try:
        name, data = _read(storage, Container.STATE, state_path(export, connection, run_id))
        return parse_state(name, data)
    except Damaged as damage:
        raise ExportError(Reason.STATE_LOST, f"{damage}.") from None


def load_table(
    storage: Storage, container: Container, name: str, schema: Mapping[str, pl.DataType]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a stored table that has at least the columns of `schema`.

    Raise Damaged for what is missing or something else, and NewerVersion for one that this code cannot read.
    """
    return parse_table(*_read(storage, container, name), schema)


def _read(storage: Storage, container: Container, name: str) -> tuple[str, bytes]:
    """Return a blob's full name and content; raise Damaged if it is missing or too large."""
    try:
        found = storage.get(container, name)
    except TooLarge as error:
        raise Damaged(str(error)) from None
    if found is None:
        raise Damaged(f"{container}/{name} is missing")
    return f"{container}/{name}", found[0]


def parse_state(name: str, data: bytes) -> State:
    """Read a stored state; raise Damaged, by its `name`, for something else, and NewerVersion."""
    people, said = _parse(name, data, SCHEMA)
    if said.get(_DIGESTS, SCHEME) != SCHEME:
        raise NewerVersion(name)
    return State(_lists(name, said), people, said.get(_DIGESTS))


def parse_table(name: str, data: bytes, schema: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a stored table that has at least the columns of `schema`; raise Damaged, by its `name`, for something else."""
    table, said = _parse(name, data, schema)
    return table, _lists(name, said)


def _parse(name: str, data: bytes, schema: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """Read a stored table and what its metadata says; its version is looked at before anything else."""
    if is_broken(data):
        raise Damaged(f"{name} was altered since it was written")
    if not is_sealed(data) and not can_be_decoded(data):
        raise Damaged(f"{name} cannot be read")
    try:
        check_version(name, _number(read_metadata(data).get(_VERSION)), VERSION)
        table, said = read_table(data)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError, TypeError):
        raise Damaged(f"{name} cannot be read") from None
    if not schema.items() <= table.schema.items():
        raise Damaged(f"{name} has other columns than it should")
    return table, said


def _number(text: str | None) -> int | str | None:
    return int(text) if text and text.isdecimal() else text


def _lists(name: str, said: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the lists that a table's masks count through."""
    try:
        return tuple(json.loads(said.get(_LISTS, "[]")))
    except (ValueError, TypeError):
        raise Damaged(f"{name} does not say which lists it counts") from None


def write_state(state: State) -> bytes:
    """Write a state, with the scheme that its digests were made by, as far as that is known."""
    return write_table(state.people, state.lists, digests=state.digests)


def write_table(table: pl.DataFrame, lists: Sequence[str] = (), *, digests: str | None = None) -> bytes:
    """Write a table whose masks count through `lists`, and whose digests were made by the scheme `digests`, if that is said."""
    buffer = io.BytesIO()
    said = {_VERSION: str(VERSION), _LISTS: json.dumps(list(lists)), _SEAL: BLANK_SEAL}
    table.write_parquet(buffer, metadata=said if digests is None else {**said, _DIGESTS: digests})
    return sealed(buffer)


def read_table(data: bytes) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """Read a table and its metadata, whatever its version."""
    return pl.read_parquet(io.BytesIO(data)), read_metadata(data)


def read_metadata(data: bytes) -> Mapping[str, str]:
    """Read what a table says of itself."""
    return pl.read_parquet_metadata(io.BytesIO(data))
