"""Every endpoint under schemathesis with the schema that the app serves: no 5xx, and every answer conforms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from export_trigger.http.openapi import document
from local.world import SIMPLE, World, people
from tests.stack.conftest import MakeWorld


@pytest.fixture(scope="module")
def served_world(make_lasting_world: MakeWorld) -> World:
    """Return a world with something of everything in it."""
    world = make_lasting_world(settings={"OUTAGE_MINUTES": "1"})
    world.publish({"Team": people("a@example.com", "nobody")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.run("team")
    return world


LABELS = sorted(f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods)


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """Return schemathesis's operations by label."""
    import schemathesis  # takes a second, which every worker would spend
    from schemathesis.core.result import Ok

    schema = schemathesis.openapi.from_dict(document())
    return {found.ok().label: found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)}


def test_every_operation_is_tried(operations: dict[str, Any]) -> None:
    assert sorted(operations) == LABELS


def test_the_app_serves_this_very_document(served_world: World) -> None:
    assert served_world.api.get("openapi.json") == document()


@pytest.mark.parametrize("name", LABELS)
def test_every_answer_conforms_and_none_is_a_fault(name: str, served_world: World, operations: dict[str, Any]) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operations[name].as_strategy())
    def every_case(case: Any) -> None:
        case.call_and_validate(
            base_url=served_world.stack.api_url.removesuffix("/api"),
            headers={"x-functions-key": served_world.stack.function_key},
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
            timeout=60,
        )

    every_case()
