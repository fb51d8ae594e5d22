"""`python -m local.vault`: the vault over TLS, and the identity endpoint that gives tokens for it."""

from __future__ import annotations

import argparse
import secrets
import ssl
import tempfile
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import certifi
import trustme

from local.processes import end_with_parent, say_ready
from local.vault.secrets import Secrets
from local.vault.server import Handler, IdentityHandler, VaultHandler, VaultState


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.vault", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--identity-port", type=int, default=0)
    parser.add_argument("--directory", type=Path, help="where secrets are kept; without it, in memory")
    options = parser.parse_args()
    if options.directory:
        options.directory.mkdir(parents=True, exist_ok=True)
        _serve(Secrets(options.directory / "secrets.json"), options.directory, options.port, options.identity_port)
        return
    with tempfile.TemporaryDirectory(prefix="vault-") as folder:
        _serve(Secrets(None), Path(folder), options.port, options.identity_port)


def _serve(kept: Secrets, directory: Path, port: int, identity_port: int) -> None:
    """Serve secrets until told to stop, with certificates in a directory."""
    state = VaultState(kept, identity_header=_identity_header(directory))
    bundle = directory / "ca-bundle.pem"
    vault = _server(VaultHandler, state, port)
    vault.socket = _tls(directory, bundle).wrap_socket(vault.socket, server_side=True)
    identity = _server(IdentityHandler, state, identity_port)
    state.url = f"https://127.0.0.1:{vault.server_port}"
    stop = threading.Event()
    end_with_parent(stop.set)
    for server in (vault, identity):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    say_ready(
        url=state.url,
        identity_endpoint=f"http://127.0.0.1:{identity.server_port}/msi/token",
        identity_header=state.identity_header,
        ca_bundle=str(bundle),
    )
    stop.wait()


def _server(handler: type[Handler], state: VaultState, port: int) -> ThreadingHTTPServer:
    bound = type(handler.__name__, (handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", port), bound)
    server.daemon_threads = True
    return server


def _identity_header(directory: Path) -> str:
    """Return the secret that opens the identity endpoint, the same after a restart."""
    file = directory / "identity-header"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def _authority(directory: Path) -> trustme.CA:
    """Return the authority that signs the vault's certificate, the same after a restart."""
    certificate, key = directory / "ca.pem", directory / "ca-key.pem"
    if certificate.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA()
    key.touch(mode=0o600)
    authority.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(certificate))
    return authority


def _tls(directory: Path, bundle: Path) -> ssl.SSLContext:
    """Make a certificate for this machine, and a bundle of authorities that trusts it beside the usual ones."""
    authority = _authority(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    return context


if __name__ == "__main__":
    main()
