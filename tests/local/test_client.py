"""The client brings a function key, or a token of Entra, and nothing that it was not given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from cli.client import LOCAL_STACK, Address, ApiError, Client, NotConfigured, find_app
from tests.local.servers import answering

type Say = Callable[..., dict[str, str]]


@pytest.fixture
def headers(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return the headers that a client sends in an environment."""

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


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.org/api",
        "ftp://127.0.0.1/api",
        "http://127.0.0.1.example.org",
        "https://",
        "app",
        "http://[",
    ],
)
def test_a_key_goes_over_tls_or_to_this_machine_only(url: str) -> None:
    with pytest.raises(NotConfigured, match="https"):
        find_app(url, "a-key")


@pytest.mark.parametrize(
    "url", ["https://app.example.org/api", "http://127.0.0.1:7071/api", "http://localhost:7071/api"]
)
def test_tls_and_this_machine_are_taken(url: str) -> None:
    assert find_app(url, "a-key").url == url


@pytest.mark.parametrize("named", ["KEY", "TOKEN", "--key"])
def test_a_key_or_token_without_a_url_does_not_open_the_local_stack(
    named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever gives one means another app: a test or an erasure must not silently go to the stack of this folder."""
    for name in ("URL", "KEY", "TOKEN"):
        monkeypatch.delenv(f"SEGMENT_EXPORT_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    stack = tmp_path / LOCAL_STACK
    stack.parent.mkdir()
    stack.write_text('{"api_url": "http://127.0.0.1:1/api", "function_key": "local"}')
    assert find_app(None, None).key == "local"
    if named != "--key":
        monkeypatch.setenv(f"SEGMENT_EXPORT_{named}", "a-secret")
    with pytest.raises(NotConfigured, match="no URL: say --url or SEGMENT_EXPORT_URL"):
        find_app(None, "a-secret" if named == "--key" else None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """The function key is a header of ours: requests would carry it to any host that an answer names."""
    with answering(200, b"{}") as (other, asked), answering(status, b"", {"Location": other}) as (app, _):
        with Client(Address(app, "a-key")) as client, pytest.raises(ApiError, match="leads to another address"):
            client.get("segments")
        assert asked == []


def test_no_other_key_is_brought_than_the_one_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine app.example.org login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Client(Address("https://app.example.org/api", None, "a-token")) as client:
        asked = requests.Request("GET", "https://app.example.org/api/me")
        assert client._http.prepare_request(asked).headers["authorization"] == "Bearer a-token"


def test_loopback_is_asked_without_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with answering(200, b"{}") as (app, asked), Client(Address(app, "a-key")) as client:
        client.get("me")
        assert asked == ["/me"]


def test_a_refusal_names_the_run_that_is_in_the_way() -> None:
    body = b'{"code": "run_in_progress", "detail": "Another run of this export is going.", "run": "20260101t000000000-abcd"}'
    with answering(409, body) as (app, _), Client(Address(app, None)) as client:
        with pytest.raises(ApiError) as refusal:
            client.post("exports/x/runs")
        assert refusal.value.lines[1] == "  run: 20260101t000000000-abcd"
