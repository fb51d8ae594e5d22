"""App settings: read once, and named when they are missing or wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, cast

import annotated_types
import pytest

from shared.azure.settings import Settings, SettingsWrong, read_settings
from shared.composition.sources import open_source

NUMBERS: Final = (
    "SETTLE_SECONDS",
    "OUTAGE_MINUTES",
    "GRACE_SECONDS",
    "HISTORY_DAYS",
    "REJECTED_DAYS",
    "AUDIT_DAYS",
)

KINDS = ("autopilot", "other")

WHOLE = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "CustomerInsightsStorage__blobServiceUri": "https://source.blob.core.windows.net",
    "CUSTOMER_INSIGHTS_PATH": "container/folder/",
    "KEY_VAULT_URL": "https://vault.vault.azure.net/",
}


def read(environment: Mapping[str, str], kinds: Collection[str] = ()) -> Settings:
    """Read the app's settings, and those of its source."""
    open_source(environment)
    return read_settings(environment, kinds)


def test_a_source_of_no_kind_that_there_is_is_refused() -> None:
    with pytest.raises(SettingsWrong, match="SOURCE_KIND must be one of blob_export"):
        read({**WHOLE, "SOURCE_KIND": "carrier_pigeon"})


def test_what_is_left_out_has_a_default() -> None:
    settings = read(WHOLE)
    assert settings.urls == {}
    assert (settings.auth_mode, settings.outage_minutes, settings.grace_seconds) == ("keys", 360, 45)


@pytest.mark.parametrize(
    "name",
    ["AzureWebJobsStorage", "CustomerInsightsStorage__blobServiceUri", "CUSTOMER_INSIGHTS_PATH", "KEY_VAULT_URL"],
)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(SettingsWrong, match=name.partition("__")[0]):
        read({key: value for key, value in WHOLE.items() if key != name})


INSECURE = ["http://example.com", "http://localhost.example.com", "ftp://127.0.0.1", "file:///etc"]
NO_HOST = [
    "https://",
    "https:///v1",
    "https://:443/v1",
    "https://example.com:99999/v1",
    "https://example.com:0",
    "https://example.com:abc",
    "https://api2..autopilothq.com/v1",
    f"https://{'a' * 70}.example.com",
    "https://exa mple.com",
    "https://[::1",
    "https://example.com\\@other.example",
]
MORE = ["https://example.com/v1#f", "https://me@example.com/v1", "https://me:secret@example.com"]
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/notify-url)"


@pytest.mark.parametrize("name", ["AUTOPILOT_URL", "ORTTO_URL", "KEY_VAULT_URL"])
@pytest.mark.parametrize("url", [*INSECURE, *NO_HOST])
def test_only_a_url_that_can_be_called_and_with_tls_leaves_this_machine(name: str, url: str) -> None:
    with pytest.raises(SettingsWrong, match=f"{name} .*https"):
        read({**WHOLE, name: url}, (*KINDS, "ortto"))


@pytest.mark.parametrize("name", ["AUTOPILOT_URL", "KEY_VAULT_URL"])
@pytest.mark.parametrize("url", [*MORE, "https://example.com/v1?x=1", "https://example.com?"])
def test_a_root_has_no_query_no_user_and_no_fragment(name: str, url: str) -> None:
    with pytest.raises(SettingsWrong, match=f"{name} must have no") as refusal:
        read({**WHOLE, name: url}, KINDS)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", [*INSECURE, *NO_HOST, *MORE, REFERENCE, "nonsense"])
def test_a_wrong_webhook_switches_off_itself_only_and_says_so(url: str) -> None:
    settings = read({**WHOLE, "NOTIFY_URL": url})
    assert settings.notify_url is None
    assert settings.switched_off["NOTIFY_URL"].startswith("App setting NOTIFY_URL ")
    assert "no webhook is told" in settings.switched_off["NOTIFY_URL"]
    assert not any(part in settings.switched_off["NOTIFY_URL"] for part in ("secret@", "notify-url", "autopilothq"))


@pytest.mark.parametrize(
    "url",
    [
        "https://prod-01.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-c_d/",
        "https://example.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4",
        "http://127.0.0.1:1/hook?sig=1",
        "https://bücher.example/hook",
    ],
)
def test_a_webhook_is_called_just_as_it_is_given(url: str) -> None:
    settings = read({**WHOLE, "NOTIFY_URL": url})
    assert (settings.notify_url, settings.switched_off) == (url, {})


@pytest.mark.parametrize("url", ["http://localhost:1/x", "http://127.0.0.1:80", "https://example.com"])
def test_this_machine_may_be_reached_without_tls(url: str) -> None:
    assert read({**WHOLE, "AUTOPILOT_URL": url}, KINDS).urls == {"autopilot": url}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_MODE", "none"),
        ("AUTH_MODE", "Entra"),
        ("OUTAGE_MINUTES", "soon"),
        ("CUSTOMER_INSIGHTS_PATH", "container"),
        ("ALLOWED_SECRET_NAMES", "one, two/three"),
        *(
            (name, value)
            for name in NUMBERS
            for value in ("nan", "inf", "-inf", "-1", "1e300", "1e999", "", " ", "0x1")
        ),
        *((name, "0") for name in NUMBERS if name != "SETTLE_SECONDS"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    if not value:  # an app setting that is empty counts as left out
        assert read({**WHOLE, name: value}) == read(WHOLE)
        return
    with pytest.raises(SettingsWrong, match=name):
        read({**WHOLE, name: value})


@pytest.mark.parametrize("name", NUMBERS)
def test_the_bounds_of_a_number_stand_in_its_document(name: str) -> None:
    document = (Path(__file__).parents[2] / "docs/settings.md").read_text()
    row = next(line for line in document.splitlines() if f"`{name}`" in line)
    field = Settings.model_fields[name.lower()]
    most = next(int(cast("Any", item.le)) for item in field.metadata if isinstance(item, annotated_types.Le))
    assert f"{most:,}".replace(",", " ") in row.replace(",", " ")
    assert f"default {field.default}" in row


HTTP = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=cGFzcw=="


@pytest.mark.parametrize("name", ["AzureWebJobsStorage", "CustomerInsightsStorage"])
@pytest.mark.parametrize(
    "connection",
    [
        HTTP,
        f"{HTTP};BlobEndpoint=http://storage.example",
        f"{HTTP};BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://storage.example/a",
        f"{HTTP};BlobEndpoint=https://storage.example",
        "AccountName=a;AccountKey=cGFzcw==;BlobEndpoint=http://127.0.0.1.storage.example",
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://storage.example",
        "BlobEndpoint=ftp://127.0.0.1;SharedAccessSignature=sv=x",
    ],
)
def test_no_connection_string_leads_to_another_host_without_tls(name: str, connection: str) -> None:
    with pytest.raises(SettingsWrong, match=rf"{name}.*http") as refusal:
        read({**WHOLE, name: connection})
    assert "cGFzcw" not in str(refusal.value)


@pytest.mark.parametrize(
    "connection",
    [
        "UseDevelopmentStorage=true",
        f"{HTTP};BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:2/a;TableEndpoint=http://localhost:3/a",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=cGFzcw==;EndpointSuffix=core.windows.net",
        "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=x&sig=y%3D",
    ],
)
def test_a_connection_string_with_tls_or_to_this_machine_is_taken(connection: str) -> None:
    assert read({**WHOLE, "AzureWebJobsStorage": connection}).storage.connection_string == connection


@pytest.mark.parametrize("service", ["blob", "queue", "table"])
def test_no_service_is_reached_without_tls(service: str) -> None:
    given = {f"AzureWebJobsStorage__{name}ServiceUri": "https://a.example" for name in ("blob", "queue", "table")}
    whole = {name: value for name, value in WHOLE.items() if name != "AzureWebJobsStorage"}
    name = f"AzureWebJobsStorage__{service}ServiceUri"
    with pytest.raises(SettingsWrong, match=f"{name} .*https"):
        read({**whole, **given, name: "http://a.example"})


@pytest.mark.parametrize(
    ("value", "said"), [("True", True), ("true", True), ("False", False), ("", False), ("1", False)]
)
def test_the_platform_says_whether_it_authenticates(value: str, said: bool) -> None:
    assert read({**WHOLE, "WEBSITE_AUTH_ENABLED": value}).website_auth_enabled is said


def test_no_setting_shows_a_connection_string() -> None:
    assert "UseDevelopmentStorage" not in repr(read(WHOLE))
