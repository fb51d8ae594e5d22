"""App settings: read once from the environment, checked, and explained when they are wrong."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.reasons.errors import Ours

log = logging.getLogger(__name__)

_OPTIONAL: Final = (
    "auth_mode",
    "notify_url",
    "settle_seconds",
    "outage_minutes",
    "grace_seconds",
    "history_days",
    "rejected_days",
    "audit_days",
    "allowed_secret_names",
    "website_auth_enabled",
)

_HOST: Final = re.compile(r"[0-9A-Za-z_.:-]{1,253}")
_NO_HOST: Final = "must be like https://host/path, with a host and a port that there can be"

_REFERENCE: Final = "@Microsoft.KeyVault("
"""How a setting begins that refers to a secret; Azure puts the secret in its place, unless it cannot read it."""

_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


class SettingsWrong(Ours, Exception):
    """A setting is missing or wrong; the text names it and says what it should be."""


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def _secure(url: str) -> str:
    """Return an API's root as it is used; raise ValueError for one to which no call could be made."""
    if "?" in _reachable(url):
        raise ValueError("must have no query: paths are added to it")
    return url.rstrip("/")


def _reachable(url: str) -> str:
    """Return a URL; raise ValueError unless it is one of this machine's, or encrypted, and of a host that there can be."""
    try:
        parts = urlsplit(url)
        is_ours = parts.scheme == "http" and is_loopback(url)
    except ValueError:
        raise ValueError(_NO_HOST) from None
    if parts.scheme != "https" and not is_ours:
        raise ValueError("must begin with https:// (http:// only for this machine)")
    try:
        host = (parts.hostname or "").encode("idna").decode()
        port = 443 if parts.port is None else parts.port
    except ValueError:  # a label that is empty or too long, a port that is none
        raise ValueError(_NO_HOST) from None
    if not (_HOST.fullmatch(host) and port and url.isprintable() and not set(url) & set(" \\")):
        raise ValueError(_NO_HOST)
    if "@" in parts.netloc or "#" in url:
        raise ValueError("must have no user and no fragment (# and what follows)")
    return url


def _secure_connection(text: str) -> str:
    """Refuse a connection string that leads to another host without TLS."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    urls = [value for name, value in given.items() if name.endswith(("endpoint", "proxyuri"))]
    if given.get("defaultendpointsprotocol", "https").lower() != "https" and not (urls and all(map(is_loopback, urls))):
        raise ValueError("must say DefaultEndpointsProtocol=https (http only for this machine)")
    for url in urls:
        try:
            _secure(url)
        except ValueError:
            raise ValueError("names an endpoint that is not https:// (http:// only for this machine)") from None
    return text


def _is_true(text: object) -> bool:
    """Read a yes as Azure writes it; all else is a no."""
    return text is True or (isinstance(text, str) and text.lower() == "true")


def _names(text: object) -> object:
    """Split a list of secrets' names, separated by commas."""
    if not isinstance(text, str):
        return text
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if wrong := [name for name in names if not re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name)]:
        raise ValueError(f"must be names of secrets, separated by commas; {wrong[0][:40]!r} is none")
    return names


Url = Annotated[str, AfterValidator(_secure)]
Webhook = Annotated[str, AfterValidator(_reachable)]
"""May have a query: a webhook's key stands in it."""


class StorageAccount(BaseModel):
    """How to reach a storage account: by a connection string, or by service URIs and the app's identity."""

    model_config = ConfigDict(frozen=True)

    connection_string: Annotated[str, AfterValidator(_secure_connection)] | None = Field(default=None, repr=False)
    blob_uri: Url | None = None
    queue_uri: Url | None = None
    table_uri: Url | None = None
    client_id: str | None = None


class Settings(BaseModel):
    """What an operator sets, each with its bounds: names as app settings have them, here in lower case.

    `urls` says by kind of destination where its API is, if it is not where it usually is: app settings such as
    AUTOPILOT_URL. `website_auth_enabled` is not the operator's: Azure sets it where App Service authentication stands before the app.
    """

    model_config = ConfigDict(frozen=True)

    storage: StorageAccount
    key_vault_url: Url
    urls: Mapping[str, Url] = Field(default_factory=dict)
    auth_mode: Literal["keys", "entra"] = "keys"
    notify_url: Webhook | None = Field(default=None, repr=False)
    switched_off: Mapping[str, str] = Field(default_factory=dict)
    """Why an optional part of the app is off, by the setting that is wrong: everything else goes on."""

    allowed_secret_names: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    settle_seconds: float = Field(default=60, ge=0, le=86_400, allow_inf_nan=False)
    outage_minutes: float = Field(default=360, gt=0, le=10_080, allow_inf_nan=False)
    grace_seconds: float = Field(default=45, ge=1, le=3_600, allow_inf_nan=False)
    history_days: float = Field(default=90, gt=0, le=3_650, allow_inf_nan=False)
    rejected_days: float = Field(default=30, gt=0, le=3_650, allow_inf_nan=False)
    audit_days: float = Field(default=730, gt=0, le=36_500, allow_inf_nan=False)
    website_auth_enabled: Annotated[bool, BeforeValidator(_is_true)] = False

    @property
    def grace(self) -> timedelta:
        """How long a run may show no life past what it announced."""
        return timedelta(seconds=self.grace_seconds)


def read_settings(environment: Mapping[str, str] = os.environ, kinds: Iterable[str] = ()) -> Settings:
    """Read the settings of an app with these kinds of destination; raise SettingsWrong naming one that is missing or wrong."""
    urls = {kind: url for kind in kinds if (url := environment.get(f"{kind.upper()}_URL"))}
    optional = {name: environment[name.upper()] for name in _OPTIONAL if environment.get(name.upper())}
    webhook_fault = _webhook_fault(optional.get("notify_url", ""))
    if webhook_fault:
        log.error("%s", webhook_fault)
        del optional["notify_url"]
    try:
        return Settings.model_validate(
            {
                "storage": read_account(environment, "AzureWebJobsStorage"),
                "key_vault_url": required(environment, "KEY_VAULT_URL"),
                "urls": urls,
                "switched_off": {"NOTIFY_URL": webhook_fault} if webhook_fault else {},
                **optional,
            }
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        told = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        loc = first["loc"]
        name = f"{loc[1]}_url" if loc[0] == "urls" else str(loc[0])
        raise SettingsWrong(f"App setting {name.upper()} {told}.") from None


def _webhook_fault(url: str) -> str:
    """Return what is wrong with a webhook's address, and what that switches off; empty if nothing is, or there is none."""
    if url.startswith(_REFERENCE):
        return (
            "App setting NOTIFY_URL is a reference to a secret that Azure could not read, so no webhook is told of runs' "
            "ends. See that the secret is there, and that the app's identity may read it."
        )
    try:
        _reachable(url or "https://none")
    except ValueError as wrong:
        return f"App setting NOTIFY_URL {wrong}. Until then no webhook is told of runs' ends."
    return ""


def required(environment: Mapping[str, str], name: str) -> str:
    """Return a setting; raise SettingsWrong if it is missing."""
    value = environment.get(name, "")
    if not value:
        raise SettingsWrong(f"App setting {name} is missing.")
    return value


def read_account(environment: Mapping[str, str], name: str) -> StorageAccount:
    """Read a storage account's settings in either of the forms that Azure Functions knows."""
    if text := environment.get(name):
        return _account(name, connection_string=text)
    account = environment.get(f"{name}__accountName")

    def uri(service: str) -> str | None:
        given = environment.get(f"{name}__{service}ServiceUri")
        return given or (f"https://{account}.{service}.core.windows.net" if account else None)

    if uri("blob") is None:
        raise SettingsWrong(f"App setting {name} (a connection string) or {name}__blobServiceUri is missing.")
    return _account(
        name,
        blob_uri=uri("blob"),
        queue_uri=uri("queue"),
        table_uri=uri("table"),
        client_id=environment.get(f"{name}__clientId"),
    )


def _account(name: str, **given: str | None) -> StorageAccount:
    """Check a storage account's settings; raise SettingsWrong, which never holds a connection string: there is a key in it."""
    try:
        return StorageAccount.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        told = first["msg"].removeprefix("Value error, ")
        part = str(first["loc"][0])
        where = name if part == "connection_string" else f"{name}__{part.removesuffix('_uri')}ServiceUri"
        raise SettingsWrong(f"App setting {where} {told}.") from None
