"""Start-up: indexing the functions loads next to nothing, and what the routes name is there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import BaseModel

from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES

HEAVY = ("polars", "pydantic", "requests", "azure.storage", "azure.data", "azure.keyvault", "azure.identity")


def test_indexing_the_functions_loads_nothing_heavy() -> None:
    code = "import function_app, sys; print(*sorted(sys.modules), sep='\\n')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "function_app" in found
    assert [name for name in found if name.startswith(HEAVY)] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_route_names_what_there_is(route: Route) -> None:
    assert callable(route.load())
    assert route.summary.endswith((".", ";")) or ";" in route.summary
    body = route.load_body()
    assert body is None or issubclass(body, BaseModel)
