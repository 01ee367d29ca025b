"""Listening: certificates, the redirect from plain HTTP, and patience with slow clients."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from cityline.errors import UsageError
from cityline.web.app import redirecting

_PATIENCE = 10.0
"""Seconds a connection may take until it has sent a whole request's head."""
_DAYS = 90


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen. `certificate` and `key` are PEM files; without them it is plain HTTP, which
    is refused anywhere but on this machine unless a proxy stands before us."""

    host: str = "127.0.0.1"
    port: int = 8310
    certificate: Path | None = None
    key: Path | None = None
    redirect_port: int = 0
    behind_proxy: bool = False

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by HTTPS."""
        return self.certificate is not None or self.behind_proxy

    def check(self) -> None:
        """Raises UsageError for plain HTTP that others could hear, and unusable certificates."""
        if not self.secure and not _here(self.host):
            hint = "--certificate and --key, --self-signed to try it out, or --behind-proxy"
            raise UsageError(f"plain HTTP on {self.host} could be heard by others", hint=hint)
        if self.certificate is None:
            return
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.certificate, self.key
            )
        except (OSError, ssl.SSLError) as error:
            hint = "PEM files of a certificate chain and its key"
            raise UsageError(
                f"the certificate cannot be used: {error.strerror or error}",
                where=str(self.certificate),
                hint=hint,
            ) from error


class _Patient(H11Protocol):
    """Closes a connection that does not send a request's head in time, so that slow clients hold
    no more than a connection each, and that not for long."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._busy = False
        self._waiting = asyncio.get_running_loop().call_later(_PATIENCE, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None:
            self._busy = True
            self._waiting.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if not self._busy and not self.transport.is_closing():
            self.transport.close()


def server(app: ASGIApp, at: Listening) -> uvicorn.Server:
    """A server that is ready to run. Raises UsageError, see `Listening.check`."""
    at.check()
    config = uvicorn.Config(
        app,
        host=at.host,
        port=at.port,
        http=_Patient,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=at.behind_proxy,
        timeout_keep_alive=5,
        backlog=1024,
        h11_max_incomplete_event_size=32_768,
        ssl_certfile=at.certificate,
        ssl_keyfile=at.key,
    )
    return uvicorn.Server(config)


def serve(app: ASGIApp, at: Listening) -> None:
    """Serve until interrupted, with the redirect beside it when it has a port."""
    main = server(app, at)
    if at.redirect_port:
        plain = uvicorn.Server(
            uvicorn.Config(
                redirecting(at.port),
                host=at.host,
                port=at.redirect_port,
                http=_Patient,
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
            )
        )
        threading.Thread(target=plain.run, daemon=True).start()
    main.run()


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate for trying TLS out, made once and kept; browsers will warn of it."""
    certificate, key = folder / "self-signed.pem", folder / "self-signed-key.pem"
    if certificate.is_file() and key.is_file() and _lasts(certificate):
        return certificate, key
    folder.mkdir(parents=True, exist_ok=True)
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cityline, self-signed")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    if not _here(host):
        names.append(x509.DNSName(host))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate.write_bytes(made.public_bytes(pem))
    return certificate, key


def _lasts(certificate: Path) -> bool:
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return found.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
