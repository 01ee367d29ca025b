"""A portal whose certificate is not valid is not spoken to, and not asked twice."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cityline.adapters.portals.http import Timing
from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.errors import SourceUnreachable


class _Quiet(HTTPServer):
    accepted = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A refused handshake is what is wanted."""

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]
        type(self).accepted += 1
        return super().get_request()


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[str]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    asked += ["-nodes", "-keyout", str(key), "-out", str(cert), "-days", "1", "-subj", "/CN=x"]
    subprocess.run(asked, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = _Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}/api/explore/v2.1"
    server.shutdown()
    server.server_close()


def test_a_self_signed_certificate_is_refused(self_signed: str) -> None:
    client = OpendatasoftPortal(Settings(self_signed, Timing(deadline=5, pause=0.01)))
    with pytest.raises(SourceUnreachable, match="certificate is not valid"):
        client.describe("x")
    assert _Quiet.accepted == 1
