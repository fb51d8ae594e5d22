"""The client brings a function key, or a token of Entra, and nothing that it was not given."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.client import Client, find_app

type Say = Callable[..., dict[str, str]]


@pytest.fixture
def headers(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Give the headers that a client sends in an environment."""

    def made(**environment: str) -> dict[str, str]:
        for name in ("URL", "KEY", "TOKEN"):
            monkeypatch.delenv(f"SEGMENT_EXPORT_{name}", raising=False)
        monkeypatch.setenv("SEGMENT_EXPORT_URL", "https://app.example.org/api/")
        for name, value in environment.items():
            monkeypatch.setenv(f"SEGMENT_EXPORT_{name}", value)
        with Client(find_app(None, None)) as client:
            return {name.lower(): str(value) for name, value in client._http.headers.items()}

    return made


def test_a_function_key_is_brought(headers: Say) -> None:
    said = headers(KEY="a-key")
    assert said["x-functions-key"] == "a-key"
    assert "authorization" not in said


def test_a_token_is_brought(headers: Say) -> None:
    said = headers(TOKEN="a-token")
    assert said["authorization"] == "Bearer a-token"
    assert "x-functions-key" not in said
