"""App settings: read once, and named when they are missing or wrong."""

from __future__ import annotations

import pytest

from shared.settings import SettingsWrong, read_settings

WHOLE = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "CustomerInsightsStorage__blobServiceUri": "https://source.blob.core.windows.net",
    "CUSTOMER_INSIGHTS_PATH": "container/folder/",
    "KEY_VAULT_URL": "https://vault.vault.azure.net/",
}


def test_what_is_left_out_has_a_default() -> None:
    settings = read_settings(WHOLE)
    assert settings.autopilot_url == "https://api2.autopilothq.com/v1"
    assert (settings.auth_mode, settings.outage_minutes, settings.grace_seconds) == ("keys", 360, 45)
    assert settings.customer_insights_path == "container/folder"


@pytest.mark.parametrize(
    "name",
    ["AzureWebJobsStorage", "CustomerInsightsStorage__blobServiceUri", "CUSTOMER_INSIGHTS_PATH", "KEY_VAULT_URL"],
)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(SettingsWrong, match=name.partition("__")[0]):
        read_settings({key: value for key, value in WHOLE.items() if key != name})


@pytest.mark.parametrize("name", ["AUTOPILOT_URL", "KEY_VAULT_URL", "NOTIFY_URL"])
@pytest.mark.parametrize(
    "url", ["http://example.com", "http://localhost.example.com", "ftp://127.0.0.1", "file:///etc"]
)
def test_only_tls_leaves_this_machine(name: str, url: str) -> None:
    with pytest.raises(SettingsWrong, match=f"{name} .*https"):
        read_settings({**WHOLE, name: url})


@pytest.mark.parametrize("url", ["http://localhost:1/x", "http://127.0.0.1:80", "https://example.com"])
def test_this_machine_may_be_reached_without_tls(url: str) -> None:
    assert read_settings({**WHOLE, "AUTOPILOT_URL": url}).autopilot_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_MODE", "none"),
        ("GRACE_SECONDS", "0"),
        ("OUTAGE_MINUTES", "soon"),
        ("CUSTOMER_INSIGHTS_PATH", "container"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsWrong, match=name):
        read_settings({**WHOLE, name: value})


def test_no_setting_shows_a_connection_string() -> None:
    assert "UseDevelopmentStorage" not in repr(read_settings(WHOLE))
