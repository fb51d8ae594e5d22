"""The local vault, by the real SecretClient and the real managed identity credential."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from local.processes import ServerProcess
from local.warm import Shared


@pytest.fixture
def vault(tmp_path: Path, shared_parts: Shared) -> Iterator[ServerProcess]:
    arguments = ["-m", "local.vault", "--directory", str(tmp_path / "vault")]
    server = ServerProcess("vault", arguments, os.environ, tmp_path / "vault.log", start=shared_parts.start)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(vault: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretClient]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", vault.ready["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", vault.ready["identity_header"])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", vault.ready["ca_bundle"])
    with (
        ManagedIdentityCredential() as credential,
        SecretClient(vault.ready["url"], credential, verify_challenge_resource=False, retry_total=0) as opened,
    ):
        yield opened


def test_a_secret_is_stored_in_versions_and_read_back(client: SecretClient) -> None:
    first = client.set_secret("autopilot-main", "one")
    client.set_secret("autopilot-main", "two")
    assert client.get_secret("Autopilot-Main").value == "two"
    assert client.get_secret("autopilot-main", first.properties.version).value == "one"
    assert len(list(client.list_properties_of_secret_versions("autopilot-main"))) == 2


def test_a_secret_that_was_deleted_keeps_its_name_until_it_is_recovered(client: SecretClient) -> None:
    """As in every vault of Azure: none has been made without soft delete since 2020."""
    client.set_secret("digest", "former")
    client.begin_delete_secret("digest")
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("digest")
    with pytest.raises(ResourceExistsError) as caught:
        client.set_secret("digest", "new")
    assert caught.value.status_code == 409
    client.begin_recover_deleted_secret("digest")
    assert client.get_secret("digest").value == "former"
    client.set_secret("digest", "new")
    assert client.get_secret("digest").value == "new"


def test_a_secret_that_is_not_there_is_not_found(client: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("nothing")


def test_without_a_token_it_challenges(vault: ServerProcess) -> None:
    answer = requests.get(f"{vault.ready['url']}/secrets/x", verify=vault.ready["ca_bundle"], timeout=60)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization=")


@pytest.mark.parametrize(("mode", "status"), [("forbidden", 403), ("down", 503)])
def test_its_faults_look_like_key_vaults(vault: ServerProcess, client: SecretClient, mode: str, status: int) -> None:
    headers = {"X-IDENTITY-HEADER": vault.ready["identity_header"]}
    requests.put(vault.ready["identity_endpoint"], json={"mode": mode}, headers=headers, timeout=60)
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("x")
    assert caught.value.status_code == status


def test_secrets_survive_a_restart_in_a_file_of_ones_own(
    vault: ServerProcess, client: SecretClient, tmp_path: Path
) -> None:
    client.set_secret("kept", "value")
    file = tmp_path / "vault" / "secrets.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "value" in file.read_text()
    assert "value" not in (tmp_path / "vault.log").read_text()


def test_without_a_directory_it_leaves_nothing_on_the_disk(tmp_path: Path, shared_parts: Shared) -> None:
    (tmp_path / "scratch").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "scratch")}
    server = ServerProcess("vault", ["-m", "local.vault"], environment, tmp_path / "log", start=shared_parts.start)
    bundle = Path(server.start()["ca_bundle"])
    assert bundle.is_relative_to(tmp_path / "scratch")
    server.stop()
    assert list((tmp_path / "scratch").iterdir()) == []
