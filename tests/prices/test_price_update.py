"""The refreshed price table: fetched, checked, stored and used (A11)."""

from __future__ import annotations

import http.server
import json
import marshal
import os
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.paths import state_dir
from ccusage_line.prices import embedded as price_table
from ccusage_line.prices import in_use
from ccusage_line.prices import refresh as price_update
from ccusage_line.prices import stored as price_store
from ccusage_line.prices.refresh import Refused, Result, before_report, is_due, merge, parse, refresh
from ccusage_line.prices.show import show
from conftest import SHARED
from price_server import NEW_MODEL, Entries, Server, certificate, give, listed, with_new_model
from processes import bare_python

MILLION = 1_000_000
PATIENCE = 10  # seconds a test waits for something that takes no time; the promises of the design are shorter


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set and return a state directory for the test, in which in_use.table() looks too."""
    for name in ("HOME", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("CCUSAGE_OFFLINE", "CCUSAGE_PRICES_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    folder = str(tmp_path / "state")
    monkeypatch.setenv("CCUSAGE_STATE_DIR", folder)
    return folder


def ask(server: Server, state: str, force: bool = True, timeout: float = 5.0) -> Result:
    return refresh(state, force=force, timeout=timeout, address=server.address)


def files(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def age_notes(state: str, **seconds: int) -> None:
    """Make the recorded times of tries older by some seconds."""
    path = Path(state, "prices-tries.json")
    notes = json.loads(path.read_text())
    path.write_text(json.dumps({**notes, **{name: notes[name] - by for name, by in seconds.items()}}))


# --- what a refresh brings ---


def test_a_refresh_prices_a_model_that_had_no_price(server: Server, state: str) -> None:
    assert in_use.table().find(NEW_MODEL) is None
    server.answer = give(json.dumps(with_new_model(listed())).encode())
    result = ask(server, state)
    count = sum(name.startswith("claude-") for name in price_table.CURRENT) + 1
    assert (result.status, result.entries) == ("updated", count)
    assert f"{count} models, 1 new, " in result.text
    price = in_use.table().find(NEW_MODEL)
    assert (price.input, price.output, price.write_5m, price.write_1h, price.read) == (
        6_000_000_000,
        30_000_000_000,
        7_500_000_000,
        12_000_000_000,
        600_000_000,
    )


def test_a_refresh_replaces_the_current_part_only(server: Server, state: str) -> None:
    before = in_use.table()
    kept = ("claude-fable-5-2", "claude-opus-4-20250514", "claude-3-haiku-20240307", "claude-opus-4-0")
    old = {name: before.find(name) for name in kept}
    server.answer = give(json.dumps(listed(input=2, output=2)).encode())
    assert ask(server, state).status == "updated"
    after = in_use.table()
    assert after.fingerprint != before.fingerprint
    sonnet, was = after.find("claude-sonnet-5-5"), before.find("claude-sonnet-5-5")
    assert (sonnet.input, sonnet.output, sonnet.read) == (2 * was.input, 2 * was.output, 2 * was.read)
    assert {name: after.find(name) for name in kept} == old


def test_a_model_that_the_list_no_longer_names_keeps_its_price(server: Server, state: str) -> None:
    entries = listed()
    gone = entries.pop("claude-sonnet-5-5")
    assert gone["input_cost_per_token"] > 0
    before = in_use.table().find("claude-sonnet-5-5")
    server.answer = give(json.dumps(with_new_model(entries)).encode())
    assert ask(server, state).status == "updated"
    assert in_use.table().find("claude-sonnet-5-5") == before
    server.answer = give(json.dumps(entries).encode())
    ask(server, state)
    assert in_use.table().find(NEW_MODEL) is not None


def test_the_whole_list_read_at_run_time_is_the_embedded_table() -> None:
    folder = SHARED / "pricing"
    if not folder.is_dir():
        pytest.skip(f"no price files at {folder}")
    entries: Entries = {}
    for name in ("litellm-claude.json", "litellm-other-models.json"):
        entries.update(json.loads((folder / name).read_text()))
    assert parse(json.dumps(entries).encode()) == price_table.CURRENT


def test_an_equal_list_leaves_the_file_as_it_was(server: Server, state: str) -> None:
    assert ask(server, state).status == "updated"
    path = price_store.Refreshed.path(state)
    before = os.stat(path)
    assert ask(server, state).status == "unchanged"
    after = os.stat(path)
    assert (before.st_ino, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_ino,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )


def test_a_list_with_an_etag_is_asked_for_by_it_and_304_keeps_the_table(server: Server, state: str) -> None:
    body = json.dumps(with_new_model(listed())).encode()
    server.answer = give(body, ETag='"one"')
    assert ask(server, state).status == "updated"
    age_notes(state, checked=100_000, tried=100_000)
    assert is_due(state)
    server.answer = give(b"", 304)
    assert ask(server, state, force=False).status == "unchanged"
    assert [asked.get("if-none-match") for asked in server.asked] == [None, '"one"']
    assert in_use.table().find(NEW_MODEL) is not None
    assert not is_due(state)


def test_the_etag_of_another_address_or_of_a_lost_table_is_not_sent(server: Server, state: str) -> None:
    server.answer = give(json.dumps(listed()).encode(), ETag='"one"')
    ask(server, state)
    refresh(state, force=True, timeout=5.0, address=server.address + "?other")
    os.unlink(price_store.Refreshed.path(state))
    refresh(state, force=True, timeout=5.0, address=server.address + "?other")
    assert [asked.get("if-none-match") for asked in server.asked] == [None, None, None]


# --- what is refused ---


def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    drip_headers(handler)


def drip_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    for _ in range(60):
        handler.wfile.write(b"H")
        time.sleep(0.5)


def silence(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(60)
    handler.connection.recv(1)


REFUSED = [
    pytest.param(give(b"gone", 404), "answers 404 Not Found", id="404"),
    pytest.param(give(b"oops", 500), "answers 500 Internal Server Error", id="500"),
    pytest.param(give(b"", 204), "answers 204 No Content", id="no-content"),
    pytest.param(give(b"", 302, Location="http://127.0.0.1:1/x"), "redirects to http, but only https", id="to-http"),
    pytest.param(give(b"", 302, Location="file:///etc/passwd"), "redirects to file, but only https", id="to-a-file"),
    pytest.param(give(b"", 302), "answers 302 Found", id="redirect-to-nowhere"),
    pytest.param(give(b"<html>please log in</html>"), "is not JSON", id="a-login-page"),
    pytest.param(give(b"[1, 2]"), "is not a price list", id="a-json-list"),
    pytest.param(give(b'{"models": [{"name": "claude-opus-5"}]}'), "prices of 0 Claude models", id="another-shape"),
    pytest.param(give(b"{}"), "prices of 0 Claude models", id="an-empty-list"),
    pytest.param(
        give(json.dumps(listed(input=1000, output=1000)).encode()), "more than a factor of 20", id="a-thousand-times"
    ),
    pytest.param(
        give(json.dumps(listed(input=0.001, output=0.001)).encode()), "more than a factor of 20", id="a-thousandth"
    ),
]


@pytest.mark.parametrize(("answer", "reason"), REFUSED)
def test_a_bad_list_leaves_the_last_good_table(
    server: Server, state: str, answer: Callable[..., None], reason: str
) -> None:
    server.answer = give(json.dumps(with_new_model(listed())).encode())
    ask(server, state)
    kept = in_use.table().fingerprint
    server.answer = answer
    result = ask(server, state)
    assert (result.status, result.ok) == ("failed", False)
    assert reason in result.text
    assert result.text.startswith("prices not refreshed: ")
    assert "\n" not in result.text
    assert in_use.table().fingerprint == kept
    assert in_use.table().find(NEW_MODEL) is not None


@pytest.mark.parametrize(
    ("answer", "timeout"),
    [
        pytest.param(silence, 1.0, id="it-stays-silent"),
        pytest.param(drip, 1.0, id="a-byte-now-and-then"),
        pytest.param(drip_headers, 1.0, id="headers-a-byte-now-and-then"),
    ],
)
def test_a_slow_server_holds_nobody_beyond_the_time_out(
    server: Server, state: str, answer: Callable[..., None], timeout: float
) -> None:
    server.answer = answer
    began = time.monotonic()
    result = ask(server, state, timeout=timeout)
    assert time.monotonic() - began < timeout + 1
    assert result.status == "failed"
    assert "127.0.0.1 does not answer in time" in result.text


def test_a_process_that_gave_up_on_a_slow_server_ends_at_once(server: Server, state: str) -> None:
    server.answer = drip
    code = f"""
from ccusage_line.prices import refresh as price_update
print(price_update.refresh({state!r}, force=True, timeout=1.0, address={server.address!r}).status)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "failed\n", "")
    assert time.monotonic() - began < 5


def test_a_refused_connection_is_reported_in_one_line(state: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        result = refresh(state, force=True, timeout=5.0, address=address)
    assert result.status == "failed"
    assert (
        result.text
        == "prices not refreshed: 127.0.0.1: Connection refused; the current prices stay in use (`ccusage prices show`)"
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://prices.example/list.json",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "prices.json",
        "",
        "https://",
        "http://[::1",
        "\x00",
    ],
)
def test_only_https_is_accepted_except_from_this_machine(state: str, address: str) -> None:
    result = refresh(state, force=True, timeout=5.0, address=address)
    assert result.status == "failed"
    assert "is not an https address" in result.text or "is not a valid address" in result.text


def test_an_entry_that_cannot_be_understood_is_left_out(server: Server, state: str) -> None:
    bad: dict[str, Any] = {
        "claude-bad-text": {"input_cost_per_token": "a lot", "output_cost_per_token": 1e-05},
        "claude-bad-list": [1, 2],
        "claude-bad-null": {"input_cost_per_token": None, "output_cost_per_token": 1e-05},
        "claude-bad-minus": {"input_cost_per_token": -1e-06, "output_cost_per_token": 1e-05},
        "claude-bad-nan": {"input_cost_per_token": float("nan"), "output_cost_per_token": 1e-05},
        "claude-bad-inf": {"input_cost_per_token": 1e-06, "output_cost_per_token": float("inf")},
        "claude-bad-dear": {"input_cost_per_token": 3.0, "output_cost_per_token": 15.0},
        "claude-bad-bool": {"input_cost_per_token": True, "output_cost_per_token": True},
        "claude-bad-half": {"input_cost_per_token": 1e-06},
        "claude-bad-tiers": {
            "input_cost_per_token": 1e-06,
            "output_cost_per_token": 1e-06,
            "input_cost_per_token_above_100k_tokens": 1e-06,
            "input_cost_per_token_above_200k_tokens": 1e-06,
        },
        "claude-bad-factor": {
            "input_cost_per_token": 1e-06,
            "output_cost_per_token": 1e-06,
            "provider_specific_entry": {"fast": 0},
        },
        "claude-" + "x" * 1000: {"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
        "gpt-9": {"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
    }
    server.answer = give(json.dumps({**bad, **with_new_model(listed())}).encode())
    assert ask(server, state).status == "updated"
    assert in_use.table().find(NEW_MODEL) is not None
    assert [name for name in bad if in_use.table().find(name) is not None] == []


def test_a_threshold_is_read_from_the_field_names(server: Server, state: str) -> None:
    entry = {
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 5e-06,
        "input_cost_per_token_above_150k_tokens": 2e-06,
        "output_cost_per_token_above_150k_tokens": 7.5e-06,
        "provider_specific_entry": {"fast": 2.0, "us": 1.1},
    }
    server.answer = give(json.dumps({**listed(), NEW_MODEL: entry}).encode())
    ask(server, state)
    price = in_use.table().find(NEW_MODEL)
    assert (price.threshold, price.fast, price.us) == (150_000, 2000, 1100)
    assert price.above == (2_000_000_000, 7_500_000_000, 2_500_000_000, 4_000_000_000, 200_000_000)


RESELLER = next(name for name in price_table.CURRENT if name.startswith("us.anthropic."))


def test_a_reseller_with_an_odd_price_keeps_the_old_one_and_does_not_stop_the_rest() -> None:
    known = dict(price_table.CURRENT)
    odd = (known[RESELLER][0] * 1000, *known[RESELLER][1:])
    assert merge(known, {RESELLER: odd, NEW_MODEL: known["claude-opus-5"]}) == {
        **known,
        NEW_MODEL: known["claude-opus-5"],
    }


def test_many_odd_resellers_refuse_the_list() -> None:
    known = dict(price_table.CURRENT)
    odd = {n: (p[0] * 1000, *p[1:]) for n, p in known.items() if not n.startswith("claude-")}
    with pytest.raises(Refused, match="more than a factor of 20"):
        merge(known, odd)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        pytest.param(0, lambda rate: 0, id="free-input"),
        pytest.param(1, lambda rate: 0, id="free-output"),
        pytest.param(1, lambda rate: rate * 21, id="output"),
        pytest.param(2, lambda rate: rate * 21, id="cache-write"),
        pytest.param(4, lambda rate: rate // 21, id="cache-read"),
    ],
)
def test_one_of_the_makers_own_models_with_an_odd_price_refuses_the_list(
    place: int, change: Callable[[int], int]
) -> None:
    known = dict(price_table.CURRENT)
    entry = list(known["claude-opus-5"])
    rate = entry[place]
    assert isinstance(rate, int)
    entry[place] = change(rate)
    with pytest.raises(Refused, match="claude-opus-5 would change"):
        merge(known, {"claude-opus-5": tuple(entry)})  # type: ignore[dict-item]


def test_a_price_may_fall_to_a_fifth_and_caching_become_free() -> None:
    known = dict(price_table.CURRENT)
    old = known["claude-opus-5"]
    new = (old[0] // 5, old[1] // 5, 0, old[3] // 5, 0, *old[5:])
    assert merge(known, {"claude-opus-5": new})["claude-opus-5"] == new


def test_prices_above_a_threshold_are_doubted_too() -> None:
    known = dict(price_table.CURRENT)
    old = known["claude-opus-5"]
    new = (*old[:5], 200_000, tuple(rate * 1000 for rate in old[:5]), *old[7:])
    with pytest.raises(Refused, match="claude-opus-5 would change"):
        merge(known, {"claude-opus-5": new})  # type: ignore[dict-item]


# --- https ---


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@pytest.fixture
def secure(certified: tuple[Path, Path]) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified[1], certified[0])
    server = Server(context)
    yield server
    server.close()


def test_a_server_with_a_wrong_certificate_is_not_asked(secure: Server, state: str) -> None:
    result = ask(secure, state)
    assert result.status == "failed"
    assert "certificate" in result.text.lower()
    assert secure.asked == []


def test_a_trusted_https_server_may_redirect_to_another_https_address(
    secure: Server, state: str, certified: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified[1]))
    body = json.dumps(with_new_model(listed())).encode()

    def once(handler: http.server.BaseHTTPRequestHandler) -> None:
        (give(body) if handler.path == "/new" else give(b"", 302, Location="/new"))(handler)

    secure.answer = once
    assert ask(secure, state).status == "updated"
    assert len(secure.asked) == 2


def test_redirects_end_somewhere(
    secure: Server, state: str, certified: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified[1]))
    secure.answer = give(b"", 302, Location="/again")
    assert "redirects more than 5 times" in ask(secure, state).text
    assert len(secure.asked) == 6


# --- when a report refreshes ---


def environ_of(state: str) -> dict[str, str]:
    return {"CCUSAGE_STATE_DIR": state}


def test_a_report_refreshes_a_table_older_than_a_day(server: Server, state: str) -> None:
    for asked in (1, 1):
        assert before_report(environ_of(state), offline=False, address=server.address) is None
        assert len(server.asked) == asked
    age_notes(state, checked=86_401, tried=86_401)
    assert before_report(environ_of(state), offline=False, address=server.address) is None
    assert len(server.asked) == 2


def test_a_report_tries_at_most_once_an_hour_and_says_why_it_failed_once(server: Server, state: str) -> None:
    server.answer = give(b"", 500)
    said = [before_report(environ_of(state), offline=False, address=server.address) for _ in range(3)]
    assert said[0] is not None
    assert "answers 500" in said[0]
    assert said[1:] == [None, None]
    age_notes(state, tried=3601)
    assert before_report(environ_of(state), offline=False, address=server.address) is not None
    assert len(server.asked) == 2


def test_a_try_is_recorded_before_it_is_made(server: Server, state: str) -> None:
    seen: list[bool] = []

    def look(handler: http.server.BaseHTTPRequestHandler) -> None:
        seen.append(is_due(state))
        give(b"", 500)(handler)

    server.answer = look
    before_report(environ_of(state), offline=False, address=server.address)
    assert seen == [False]


def test_a_clock_that_went_backwards_does_not_stop_refreshes(server: Server, state: str) -> None:
    ask(server, state)
    age_notes(state, checked=-1_000_000, tried=-1_000_000)
    assert is_due(state)


def test_offline_asks_nobody(server: Server, state: str) -> None:
    assert before_report(environ_of(state), offline=True, address=server.address) is None
    out, warning = price_update.refresh_command(environ_of(state), offline=True, address=server.address)
    assert out == ""
    assert "the network is switched off" in warning
    assert server.asked == []
    assert not os.path.exists(state)


def test_two_refreshes_at_once_ask_once(server: Server, state: str) -> None:
    from filelock import FileLock

    os.makedirs(state, mode=0o700)
    with FileLock(os.path.join(state, "prices.lock")):
        assert ask(server, state, force=False).status == "busy"
        assert before_report(environ_of(state), offline=False, address=server.address) is None
        assert ask(server, state, force=True, timeout=0.3).status == "busy"
    assert server.asked == []
    assert ask(server, state, force=False).status == "updated"


def test_a_list_too_large_to_read_in_the_time_left_waits_for_the_command(server: Server, state: str) -> None:
    body = json.dumps(listed()).encode() + b" " * (40 * MILLION)
    server.answer = give(body)
    said = before_report(environ_of(state), offline=False, address=server.address)
    assert "run `ccusage prices refresh`" in said or "does not answer in time" in said
    assert in_use.table().source == price_table.SOURCE


def test_the_environment_goes_before_the_config_and_the_config_before_the_default() -> None:
    assert price_update.address({}) == price_update.ADDRESS
    assert price_update.ADDRESS.startswith("https://")
    assert price_update.address({}, "https://c.example/") == "https://c.example/"
    assert (
        price_update.address({"CCUSAGE_PRICES_URL": "https://e.example/"}, "https://c.example/") == "https://e.example/"
    )


def test_a_state_directory_that_cannot_be_written_is_one_line(server: Server, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    result = refresh(str(in_the_way / "state"), force=True, timeout=5.0, address=server.address)
    assert result.status == "failed"
    assert str(in_the_way) in result.text


# --- what is stored ---


def test_what_is_stored_is_for_its_owner_alone_and_nothing_is_left_over(server: Server, state: str) -> None:
    ask(server, state)
    assert set(files(state)) - {"prices.lock"} == {"prices.bin", "prices-tries.json"}
    for path in (Path(state), *Path(state).iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[: len(data) // 2], id="torn"),
        pytest.param(lambda data: data[:-1], id="a-byte-short"),
        pytest.param(lambda data: data + b"x", id="a-byte-more"),
        pytest.param(lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], id="a-bit-turned"),
        pytest.param(lambda data: b"\0" * len(data), id="zeros"),
        pytest.param(lambda data: data.replace(b"store 1\n", b"store 2\n"), id="of-another-version"),
        pytest.param(lambda data: marshal.dumps({}), id="foreign"),
    ],
)
def test_a_damaged_file_gives_the_embedded_table_and_is_replaced(
    server: Server, state: str, spoil: Callable[[bytes], bytes]
) -> None:
    embedded = in_use.table().fingerprint
    server.answer = give(json.dumps(with_new_model(listed())).encode(), ETag='"one"')
    ask(server, state)
    path = Path(price_store.Refreshed.path(state))
    path.write_bytes(spoil(path.read_bytes()))
    assert in_use.table().fingerprint == embedded
    assert in_use.table().find(NEW_MODEL) is None
    assert is_due(state) is False  # the last try is less than an hour ago
    age_notes(state, tried=3601)
    assert is_due(state)
    assert ask(server, state).status == "updated"
    assert in_use.table().find(NEW_MODEL) is not None


@pytest.mark.parametrize("kind", ["folder", "fifo", "link-to-nowhere"])
def test_a_price_file_that_is_no_regular_file_is_ignored(state: str, kind: str) -> None:
    os.makedirs(state)
    path = price_store.Refreshed.path(state)
    if kind == "folder":
        os.mkdir(path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.symlink("/nonexistent/x", path)
    in_use._table = None
    assert in_use.table().source == price_table.SOURCE


def test_a_table_of_an_older_package_gives_way_but_for_models_only_it_knows(server: Server, state: str) -> None:
    server.answer = give(json.dumps(with_new_model(listed(input=2, output=2))).encode())
    ask(server, state)
    stored = price_store.Refreshed.load(state)
    stored.based_on = "01234567"
    stored.save(state)
    table = in_use.table()
    opus = table.find("claude-opus-5")
    assert opus.input == price_table.CURRENT["claude-opus-5"][0]
    assert table.find(NEW_MODEL) is not None
    assert table.fingerprint.count(stored.id) == 1
    age_notes(state, tried=3601)
    assert is_due(state)


def test_the_file_that_answers_depend_on_is_the_one_a_refresh_writes(server: Server, state: str) -> None:
    path = price_store.Refreshed.path(state)
    assert not os.path.exists(path)
    ask(server, state)
    assert os.path.isfile(path)
    assert price_store.Refreshed.path(state_dir({"HOME": "/home/ann"})).startswith("/home/ann/")


def test_loading_a_refreshed_table_imports_no_package(server: Server, state: str) -> None:
    ask(server, state)
    code = """
from ccusage_line.prices import in_use
print(in_use.table().source)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"json", "re", "hashlib", "httpx", "filelock",
    "platformdirs", "msgspec", "typing", "pathlib", "decimal", "sqlite3"}))
"""
    source, packages = bare_python(code, {"CCUSAGE_STATE_DIR": state}).split("\n")[:2]
    assert source.startswith("the list of 127.0.0.1 on ")
    assert packages == ""


# --- show ---


@pytest.mark.parametrize("odd", ["\x1b[2J", "\n", "\u202e", "\ud800", "é"])
def test_a_list_can_not_bring_names_that_no_model_has(odd: str) -> None:
    entries = {**listed(), f"claude-opus-9{odd}": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}}
    assert parse(json.dumps(entries).encode()) == parse(json.dumps(listed()).encode())


def test_show_tells_the_source_the_age_and_the_number_of_models(server: Server, state: str) -> None:
    text = show(os.environ, None, False)
    assert price_table.SOURCE in text
    assert "that of this version" in text
    server.answer = give(json.dumps(with_new_model(listed())).encode())
    ask(server, state)
    age_notes(state, checked=7200)
    text = show(os.environ, None, False)
    assert "the list of 127.0.0.1 on " in text
    assert "2 hours" in text
    data = json.loads(show(os.environ, None, True))
    assert data["entries"] == len({*price_table.OVERLAY, *price_table.CURRENT, *price_table.RETIRED, NEW_MODEL})
    assert 7200 <= data["ageSeconds"] < 7200 + PATIENCE * 60
    assert data["fingerprint"] == in_use.table().fingerprint


def test_show_gives_one_models_price() -> None:
    data = json.loads(show(os.environ, "us.anthropic.claude-haiku-5-5-20261001-v1:0", True))
    plain = json.loads(show(os.environ, "claude-haiku-5-5", True))
    assert plain == {
        "model": "claude-haiku-5-5",
        "input": 0.1,
        "output": 0.5,
        "cacheWrite5m": 0.125,
        "cacheWrite1h": 0.2,
        "cacheRead": 0.01,
        "above": {
            "promptTokens": 100000,
            "input": 0.5,
            "output": 2.5,
            "cacheWrite5m": 0.625,
            "cacheWrite1h": 1.0,
            "cacheRead": 0.05,
        },
        "fastFactor": 1.0,
        "usFactor": 1.1,
        "contextWindow": 1000000,
        "basis": "list",
    }
    assert data["input"] >= plain["input"]
    text = show(os.environ, "claude-opus-5", False)
    assert [line.split() for line in text.splitlines()[1:3]] == [["input", "5"], ["output", "25"]]
    assert ["fast", "mode", "x", "2"] in [line.split() for line in text.splitlines()]
