"""A price server on this machine, and price lists for it to serve."""

from __future__ import annotations

import http.server
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.prices import embedded as price_table
from ccusage_line.prices import table as prices

NEW_MODEL = "claude-opus-9"

Entries = dict[str, dict[str, Any]]


def listed(**changes: float) -> Entries:
    """Return a list as LiteLLM writes it: the direct Claude models of the embedded table, prices times *changes*."""
    entries: Entries = {"sample_spec": {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "mode": "words"}}
    for name, packed in price_table.CURRENT.items():
        if name.startswith("claude-"):
            entries[name] = {
                "input_cost_per_token": packed[0] / prices.UNIT * changes.get("input", 1),
                "output_cost_per_token": packed[1] / prices.UNIT * changes.get("output", 1),
                "cache_creation_input_token_cost": packed[2] / prices.UNIT * changes.get("input", 1),
                "cache_read_input_token_cost": packed[4] / prices.UNIT * changes.get("input", 1),
                "max_input_tokens": packed[9],
                "litellm_provider": "anthropic",
                "mode": "chat",
            }
    return entries


def with_new_model(entries: Entries) -> Entries:
    return {**entries, NEW_MODEL: {"input_cost_per_token": 6e-06, "output_cost_per_token": 3e-05}}


class Server:
    """A price server on this machine; a test sets its `answer`, and `asked` holds the headers of the requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answer: Callable[[http.server.BaseHTTPRequestHandler], None] = give(json.dumps(listed()).encode())
        self.asked: list[dict[str, str]] = []
        self.closing = threading.Event()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append({name.lower(): value for name, value in self.headers.items()})
                self.close_connection = True
                try:
                    server.answer(self)
                except (OSError, ssl.SSLError):  # the client has closed the connection
                    pass

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._listener = Listener(("127.0.0.1", 0), Handler)
        if context is not None:
            self._listener.socket = context.wrap_socket(
                self._listener.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if context is None else "https"
        self.address = f"{scheme}://127.0.0.1:{self._listener.server_address[1]}/prices.json"
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self._listener.shutdown()
        self._listener.server_close()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a server's key and its certificate for a name like `DNS:prices.test` or `IP:127.0.0.1`."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make a certificate with")
    key, chain = folder / "key.pem", folder / "chain.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=prices"]
    command += ["-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(chain)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return key, chain


def give(body: bytes, status: int = 200, **headers: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if status != 304:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer
