"""A caller's conditions guard every change: what they last saw, in a list too, and that there is nothing yet."""

from __future__ import annotations

import pytest

from tests.hostile.conftest import Installation, told


@pytest.fixture
def saved(installation: Installation) -> Installation:
    installation.connect("main", "key-1")
    assert installation.save("team", "main")[0] == 201
    return installation


def etag(saved: Installation, kind: str, name: str) -> str:
    found = saved.app.registry.export(name) if kind == "export" else saved.app.registry.connection(name)
    assert found
    return found[1]


def body(saved: Installation, kind: str) -> dict[str, object]:
    if kind == "connection":
        return {"display_name": "Other", "api_key": "key-1", "agree_to_privacy": True}
    segments = [{"segment": "Team", "list": "Team"}]
    return {"display_name": "Other", "connection": "main", "mapping": {"Email": "Email"}, "segments": segments}


@pytest.mark.parametrize(("kind", "name"), [("export", "team"), ("connection", "main")])
def test_what_is_only_to_be_made_is_not_overwritten(saved: Installation, kind: str, name: str) -> None:
    before = etag(saved, kind, name)
    for condition in ("*", before, f'"x", {before}'):
        status, problem = saved.ask(f"put_{kind}", name, body=body(saved, kind), if_none_match=condition)
        assert (status, told(problem)) == (412, f"{kind}_exists")
    assert etag(saved, kind, name) == before
    assert saved.ask(f"put_{kind}", name, body=body(saved, kind), if_none_match='"x"')[0] == 200
    status, _ = (
        saved.ask(f"put_{kind}", "another", body={**body(saved, "connection")}, if_none_match="*")
        if (kind == "connection")
        else saved.save("another", None, "Another")
    )
    assert status == 201


@pytest.mark.parametrize(("kind", "name"), [("export", "team"), ("connection", "main")])
def test_a_list_of_etags_guards_a_change_if_the_right_one_is_in_it(saved: Installation, kind: str, name: str) -> None:
    for wrong in ('"x", "y"', f"W/{etag(saved, kind, name)}", f'W/{etag(saved, kind, name)}, "x"', '", "'):
        status, problem = saved.ask(f"put_{kind}", name, body=body(saved, kind), if_match=wrong)
        assert (status, told(problem)) == (412, "changed_meanwhile")
    for right in ('"x", {}', '{}, "x"', 'W/"x",{}', "{}", "*"):
        condition = right.format(etag(saved, kind, name))
        assert saved.ask(f"put_{kind}", name, body=body(saved, kind), if_match=condition)[0] == 200
