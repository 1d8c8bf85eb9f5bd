"""The network between us and the price list: whatever it does costs at most one warning and a limited time."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import Home
from peers import Answer, after_request, listening, saying, socks
from price_server import certificate, listed, with_new_model

OK = b"HTTP/1.1 200 OK\r\n"
LARGEST = 160  # MB of memory: 64 of the largest list that is accepted, and Python with httpx
MILLION = 1 << 20


def price_list() -> bytes:
    return json.dumps(with_new_model(listed())).encode()


class Done(NamedTuple):
    code: int
    out: str
    err: str
    memory: int  # peak, in MB


def refresh(home: Home, address: str, **env: str) -> Done:
    """Run `ccusage prices refresh` and measure its memory."""
    out, err = home.path / "out", home.path / "err"
    with out.open("wb") as to, err.open("wb") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "ccusage_line", "prices", "refresh"],
            env=home.env | {"CCUSAGE_OFFLINE": "", "CCUSAGE_PRICES_URL": address} | env,
            cwd=home.path, stdout=to, stderr=complaints,
        )  # fmt: skip
        memory = 0
        while process.poll() is None:
            memory = max(memory, _memory(process.pid))
            time.sleep(0.005)
    return Done(process.returncode, out.read_text(), err.read_text(), memory)


def _memory(process: int) -> int:
    """Return the peak memory of a process in MB, or 0 if the system does not report it."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def is_one_warning(done: Done) -> bool:
    return (
        (done.code, done.out) == (1, "")
        and done.err.startswith("ccusage: warning: prices not refreshed: ")
        and done.err.count("\n") == 1
        and done.err[:-1].isprintable()
    )


def zeros(megabytes: int) -> bytes:
    """Return the gzip stream of many zeros without its end: the same block again and again."""
    packer = zlib.compressobj(9, wbits=31)
    blocks = [packer.compress(bytes(MILLION)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    return blocks[0] + blocks[1] * (megabytes - 1)


def packed(data: bytes, times: int) -> bytes:
    for _ in range(times):
        packer = zlib.compressobj(9, wbits=31)
        data = packer.compress(data) + packer.flush()
    return data


def body(data: bytes, encoding: str) -> bytes:
    return OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


# --- what a server sends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: saying(body(packed(zeros(1000), 2), "gzip, gzip, gzip")), id="gzip-in-gzip-in-gzip"),
        pytest.param(lambda: saying(OK + b"Content-Encoding: gzip\r\n\r\n" + zeros(1000)), id="a-thousand-megabytes"),
        pytest.param(lambda: saying(body(b"{}", ",".join(["gzip"] * 15_000))), id="15,000-encodings"),
        pytest.param(lambda: saying(OK, b"X-A: " + b"b" * 1000 + b"\r\n"), id="headers-without-end"),
        pytest.param(
            lambda: saying(b"", b"HTTP/1.1 103 Early\r\nA: " + b"b" * 9000 + b"\r\n\r\n"), id="103-without-end"
        ),
        pytest.param(lambda: saying(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: bb\r\n"), id="trailers"),
        pytest.param(lambda: saying(OK + b"\r\n", b" " * MILLION), id="a-body-without-end"),
    ],
)
def test_what_a_server_sends_is_bounded_before_it_is_unpacked(home: Home, answer) -> None:
    with listening(answer()) as port:
        done = refresh(home, f"http://127.0.0.1:{port}/")
    assert is_one_warning(done), done
    assert done.memory < LARGEST


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            b"HTTP/1.1 500 \x1b]0;owned\x07\xc2\x9b31m \xe2\x80\xae\r\nContent-Length: 0\r\n\r\n", id="reason"
        ),
        pytest.param(b"\x1b[31mHTTP\r\n\r\n", id="no-http"),
        pytest.param(b"HTTP/1.1 302 x\r\nLocation: \x9bftp://x\r\nContent-Length: 0\r\n\r\n", id="location"),
        pytest.param(b"HTTP/1.1 101 x\r\n\r\n", id="another-protocol"),
        pytest.param(body(b"{}", "gzip"), id="not-packed"),
        pytest.param(body(packed(price_list(), 1)[:-200], "gzip"), id="torn"),
        pytest.param(body(b"{}", "\x9b31m"), id="encoding"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_odd_answer_is_one_warning_without_control_characters(home: Home, data: bytes) -> None:
    with listening(saying(data)) as port:
        done = refresh(home, f"http://127.0.0.1:{port}/")
    assert is_one_warning(done), done


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "x-gzip", "identity", ""])
def test_a_list_is_taken_packed_and_unpacked(home: Home, encoding: str) -> None:
    data = packed(price_list(), 1 if "zip" in encoding.lower() else 0)
    with listening(saying(body(data, encoding))) as port:
        done = refresh(home, f"http://127.0.0.1:{port}/")
    assert (done.code, done.err) == (0, "")
    assert "1 new" in done.out


# --- what stands between ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "env",
    [
        {"HTTPS_PROXY": "ftp://127.0.0.1:9"},
        {"HTTPS_PROXY": "socks4://127.0.0.1:9"},
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"HTTPS_PROXY": "http://[::1"},
        {"HTTPS_PROXY": "http://127.0.0.1:99999"},
        {"HTTPS_PROXY": "http://\x1b[31m:9"},
        {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "[::1, *, http://[x"},
        {"SSL_CERT_FILE": "/nonexistent"},
        {"SSL_CERT_FILE": os.devnull},
        {"SSL_CERT_FILE": "/"},
        {"SSL_CERT_DIR": "/nonexistent"},
        {"SSLKEYLOGFILE": "/nonexistent/keys"},
    ],
    ids=lambda env: " ".join(f"{name}={value!r}" for name, value in env.items()),
)
def test_a_broken_proxy_or_certificate_is_one_warning(home: Home, env: dict[str, str]) -> None:
    done = refresh(home, "https://127.0.0.1:9/", **env)
    assert is_one_warning(done), done


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), "DNS:prices.test")


def over_tls(certified: tuple[Path, Path], answer: Answer) -> Answer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified[1], certified[0])

    def serve(connection) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            answer(secured)

    return serve


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_the_list_comes_through_a_socks_proxy(home: Home, certified: tuple[Path, Path], scheme: str) -> None:
    asked: list[tuple[str, int]] = []
    data = price_list()
    reply = OK + f"Content-Length: {len(data)}\r\n\r\n".encode() + data
    answer = over_tls(certified, after_request(lambda connection: connection.sendall(reply)))
    with listening(answer) as port, listening(socks(asked, port)) as proxy:
        done = refresh(
            home, "https://prices.test/", ALL_PROXY=f"{scheme}://127.0.0.1:{proxy}", SSL_CERT_FILE=str(certified[1])
        )
    assert (done.code, done.err) == (0, "")
    assert "1 new" in done.out
    assert asked == [("prices.test", 443)]
