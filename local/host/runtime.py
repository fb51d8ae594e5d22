"""The adapter to `azure-functions-runtime`, whose interface is internal: pinned to one version, used only here.

It indexes `function_app.py`, checks bindings, decodes trigger data and runs functions by the same code as in Azure.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import functions_metadata_request, worker_init_request
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import run_invocation_sync
from azure_functions_runtime.utils.threadpool import start_threadpool_executor


class IndexingFailed(Exception):
    """The runtime could not load the app; the text is the runtime's own."""


class InvocationFailed(Exception):
    """A function raised; the text is its traceback."""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One function: its name, the runtime's id for it, and its trigger's binding as in `function.json`."""

    name: str
    id: str
    trigger: Mapping[str, Any]


class _Protos:
    """What the runtime fills instead of protocol buffers: any message is a plain namespace."""

    class StatusResult(SimpleNamespace):
        Success = 1
        Failure = 0

    class BindingInfo(SimpleNamespace):
        out = 1
        inout = 2

    def __getattr__(self, name: str) -> type[SimpleNamespace]:
        return SimpleNamespace


def load(app: Path, threads: int) -> list[Function]:
    """Index the app in `app`; raises IndexingFailed."""
    os.environ["PYTHON_THREADPOOL_THREAD_COUNT"] = str(threads)
    sys.path.insert(0, str(app))
    init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
    request = SimpleNamespace(
        request=SimpleNamespace(worker_init_request=init), properties={"host": "127.0.0.1", "protos": _Protos()}
    )
    answer = asyncio.run(worker_init_request(request))
    if answer.result.status != _Protos.StatusResult.Success:
        raise IndexingFailed(str(getattr(answer.result.exception, "message", answer.result.exception)))
    start_threadpool_executor()
    metadata = asyncio.run(functions_metadata_request(None)).function_metadata_results or []
    return [Function(item.name, item.function_id, _trigger(item.raw_bindings)) for item in metadata]


def _trigger(bindings: Sequence[str]) -> Mapping[str, Any]:
    parsed: list[dict[str, Any]] = [json.loads(binding) for binding in bindings]
    return next(binding for binding in parsed if str(binding["type"]).lower().endswith("trigger"))


def invoke(
    function: Function, data: Datum, metadata: Mapping[str, Datum] | None = None, *, traceparent: str = ""
) -> Datum | None:
    """Run a function on its trigger's data, in the caller's trace if there is one; return what it returns.

    Raises InvocationFailed.
    """
    handled, ok, result, _, _, trace = run_invocation_sync(
        str(uuid.uuid4()), function.id, [(function.trigger["name"], data)], dict(metadata or {}), traceparent
    )
    if not handled:
        raise InvocationFailed(f"{function.name} is async; this host runs plain functions only")
    if not ok:
        raise InvocationFailed(trace or "")
    return result


def text(value: str) -> Datum:
    """Wrap text."""
    return Datum(value, "string")


def as_json(value: object) -> Datum:
    """Wrap a value as JSON."""
    return Datum(json.dumps(value), "json")


def http(
    method: str, url: str, headers: Mapping[str, str], query: Mapping[str, str], params: Mapping[str, str], body: bytes
) -> Datum:
    """Wrap an HTTP request."""

    def texts(values: Mapping[str, str]) -> dict[str, Datum]:
        return {name: text(value) for name, value in values.items()}

    return Datum(
        {
            "method": text(method),
            "url": text(url),
            "headers": texts(headers),
            "query": texts(query),
            "params": texts(params),
            "body": Datum(body, "bytes"),
        },
        "http",
    )
