"""Faults of the app itself: what the platform writes into its log of them holds no word that others wrote."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final
from unittest.mock import patch

import polars as pl
import pytest
import requests
from azure.core.exceptions import HttpResponseError
from pydantic import TypeAdapter
from urllib3 import HTTPConnectionPool

import function_app
from export_trigger.http.access import Caller, Role
from export_trigger.http.request import Call
from shared.azure.identity import NoToken
from shared.azure.settings import SettingsWrong, read_settings
from shared.azure.vault import VaultUnavailable
from shared.http.transport import NoConnection, Requests
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.reasons.faults import AppFault, told, without_texts

ANNA: Final = "anna@example.com"
FUNCTIONS: Final = {item.get_function_name(): item for item in function_app.app.get_functions()}


class Broken:
    """What a function is called with, where whatever it is asked fails, by an error that holds somebody's address."""

    def __getattr__(self, _: str) -> Any:
        try:
            TypeAdapter(int).validate_python(ANNA)
        except ValueError as error:
            raise KeyError(ANNA) from error


def open_nothing() -> Any:
    raise RuntimeError(ANNA)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_lets_through_what_others_wrote(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any trigger: the host's log gets the text, the causes and the context of whatever a function raises."""
    monkeypatch.setattr("shared.composition.app.app", open_nothing)
    monkeypatch.setattr("export_trigger.http.openapi.document_json", open_nothing)
    function: Callable[..., object] = FUNCTIONS[name].get_user_function()
    is_called_with_context = FUNCTIONS[name].is_http_function() and "context" in function.__annotations__
    with pytest.raises(AppFault) as fault:
        function(*[Broken()] * (2 if is_called_with_context else 1))
    logged = "".join(traceback.format_exception(fault.value)) + repr(fault.value)
    assert ANNA not in logged
    assert "Error at " in str(fault.value)
    assert (fault.value.__cause__, fault.value.__context__) == (None, None)


def polars() -> None:
    pl.Series([ANNA]).cast(pl.Int64)


def chained() -> None:
    try:
        polars()
    except pl.exceptions.PolarsError as error:
        raise OSError(f"https://account.example.com/?sig={ANNA}") from error


def several() -> None:
    raise ExceptionGroup(ANNA, [ValueError(ANNA), ExceptionGroup(ANNA, [KeyError(ANNA)])])


@pytest.mark.parametrize(
    ("fail", "kinds"),
    [(polars, ["InvalidOperationError"]), (chained, ["OSError"]), (several, ["ValueError", "KeyError"])],
)
def test_a_fault_says_what_kind_it_is_and_where_and_no_value(fail: Callable[[], None], kinds: list[str]) -> None:
    with pytest.raises(AppFault) as fault:
        without_texts(fail)()
    assert ANNA not in "".join(traceback.format_exception(fault.value))
    assert all(f"{kind} at " in str(fault.value) for kind in kinds)


def test_what_azure_answered_is_told_by_its_codes() -> None:
    error: Any = HttpResponseError(f"The URL was https://account.example.com/?sig={ANNA}")
    error.status_code, error.error_code = 403, "AuthorizationFailure"
    assert told(error).startswith("HttpResponseError 403 AuthorizationFailure at ")
    error.error_code = f"{ANNA}\n"
    assert ANNA not in told(error)


@pytest.mark.parametrize(
    "error",
    [
        SettingsWrong("App setting KEY_VAULT_URL is missing."),
        ExportError(Reason.KEY_MISSING, "Key Vault has no secret 'autopilot-main'."),
        NoToken("The app's identity got no token"),
        VaultUnavailable("Key Vault answered 503"),
    ],
)
def test_what_the_app_itself_wrote_stands_in_the_log(error: Exception) -> None:
    assert str(error) in told(error)


def test_what_holds_a_secret_or_somebodys_data_does_not_show_it() -> None:
    headers = {"x-functions-key": "s3cr3t", "authorization": "Bearer s3cr3t"}
    call = Call({}, {"code": "s3cr3t"}, headers, b'{"api_key": "s3cr3t"}', Caller("me", Role.ADMIN))
    connection = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=s3cr3t;EndpointSuffix=core.windows.net"
    settings = read_settings(
        {
            "AzureWebJobsStorage": connection,
            "KEY_VAULT_URL": "https://v.vault.azure.net",
            "NOTIFY_URL": "https://hooks.example.com/s3cr3t",
        }
    )
    assert settings.notify_url
    with requests.Session() as session:
        sender = Requests("https://api.example.com", session, "autopilotapikey")
        with pytest.raises(NoConnection), patch.object(HTTPConnectionPool, "urlopen", side_effect=OSError):
            sender.send("GET", "/contacts", "s3cr3t", None)
        assert "s3cr3t" not in f"{call!r} {settings!r} {vars(sender)!r}"
        assert "autopilotapikey" in f"{vars(sender)!r}"
