"""App settings: read once from the environment, checked, and explained when they are wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

DEFAULT_AUTOPILOT_URL: Final = "https://api2.autopilothq.com/v1"

_OPTIONAL: Final = (
    "autopilot_url",
    "auth_mode",
    "notify_url",
    "settle_seconds",
    "outage_minutes",
    "grace_seconds",
    "history_days",
    "rejected_days",
    "audit_days",
    "allowed_secret_names",
)

_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


class SettingsWrong(Exception):
    """A setting is missing or wrong; the text names it and says what it should be."""


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)):
        return url.rstrip("/")
    raise ValueError("must begin with https:// (http:// only for this machine)")


def _container_path(path: str) -> str:
    tidy = path.strip("/")
    if "/" not in tidy:
        raise ValueError("must be container/folder, the folder that holds model.json")
    return tidy


def _names(text: object) -> object:
    """Split a list of secrets' names, separated by commas."""
    if not isinstance(text, str):
        return text
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if wrong := [name for name in names if not re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name)]:
        raise ValueError(f"must be names of secrets, separated by commas; {wrong[0][:40]!r} is none")
    return names


Url = Annotated[str, AfterValidator(_secure)]


class StorageAccount(BaseModel):
    """How to reach a storage account: by a connection string, or by service URIs and the app's identity."""

    model_config = ConfigDict(frozen=True)

    connection_string: str | None = Field(default=None, repr=False)
    blob_uri: str | None = None
    queue_uri: str | None = None
    table_uri: str | None = None
    client_id: str | None = None


class Settings(BaseModel):
    """What an operator sets. Names as in contract.md, here in lower case."""

    model_config = ConfigDict(frozen=True)

    storage: StorageAccount
    source: StorageAccount
    customer_insights_path: Annotated[str, AfterValidator(_container_path)]
    key_vault_url: Url
    autopilot_url: Url = DEFAULT_AUTOPILOT_URL
    auth_mode: Literal["keys", "entra"] = "keys"
    notify_url: Url | None = None
    allowed_secret_names: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    settle_seconds: float = Field(default=60, ge=0)
    outage_minutes: float = Field(default=360, gt=0)
    grace_seconds: float = Field(default=45, ge=1)
    history_days: float = Field(default=90, gt=0)
    rejected_days: float = Field(default=30, gt=0)
    audit_days: float = Field(default=730, gt=0, le=36_500)

    @property
    def grace(self) -> timedelta:
        """How long a run may show no life past what it announced."""
        return timedelta(seconds=self.grace_seconds)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsWrong naming the one that is missing or wrong."""
    optional = {name: environment[name.upper()] for name in _OPTIONAL if environment.get(name.upper())}
    try:
        return Settings.model_validate(
            {
                "storage": read_account(environment, "AzureWebJobsStorage"),
                "source": read_account(environment, "CustomerInsightsStorage"),
                "customer_insights_path": _required(environment, "CUSTOMER_INSIGHTS_PATH"),
                "key_vault_url": _required(environment, "KEY_VAULT_URL"),
                **optional,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsWrong(f"App setting {str(first['loc'][0]).upper()} {first['msg']}.") from None


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsWrong(f"App setting {name} is missing.")
    return value


def read_account(environment: Mapping[str, str], name: str) -> StorageAccount:
    """Read a storage account's settings in either of the forms that Azure Functions knows."""
    if text := environment.get(name):
        return StorageAccount(connection_string=text)
    account = environment.get(f"{name}__accountName")

    def uri(service: str) -> str | None:
        given = environment.get(f"{name}__{service}ServiceUri")
        return given or (f"https://{account}.{service}.core.windows.net" if account else None)

    if uri("blob") is None:
        raise SettingsWrong(f"App setting {name} (a connection string) or {name}__blobServiceUri is missing.")
    return StorageAccount(
        blob_uri=uri("blob"),
        queue_uri=uri("queue"),
        table_uri=uri("table"),
        client_id=environment.get(f"{name}__clientId"),
    )
