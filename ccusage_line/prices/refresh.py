"""The current price list, fetched from where LiteLLM publishes it: the only network there is.

A list that can't be had, or is not to be believed, leaves the table as it was and says why in one line. What a list no
longer names keeps the price it had: old transcripts go on being priced.
"""

from __future__ import annotations

import os
import time

from .. import __version__
from ..files import private_dir, read_private, write_private
from ..locks import lock
from . import stored
from . import table as prices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from typing import Any

    import httpx

    from .stored import Packed, Rates

    Part = dict[str, Packed]

ADDRESS = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
TIMEOUT = 5.0  # seconds a transfer may take in all when it was asked for
BEFORE_REPORT = 3.0  # and before a report, which is not what was asked for
MAX_AGE = 24 * 3600  # seconds after which a report fetches the list again
PAUSE = 3600  # seconds between two tries of reports
LIMIT = 64 * 1024 * 1024  # bytes of a list, unpacked; that of 2026 has 2 MB
REDIRECTS = 5

# What makes a list plausible.
MOST_MODELS = 20_000  # LiteLLM names some 3,000; each answer that needs a price reads all of them
LEAST_CLAUDE = 20  # priced entries with "claude" in their name; the list of 2026 has 350
FACTOR = 20  # by which the price of a model may change; no maker ever moved one by more than 5
ODD_PART = 20  # of the models known already, one in so many may be odd; it keeps the price it had
DEAREST = prices.UNIT // 10  # price units per token: $100,000 for a million

_NOTES = "prices-tries.json"  # when the list was asked for: apart from the table, whose stat answers depend on
_LOCK = "prices.lock"
_PIECE = 64 * 1024  # bytes unpacked at once
_PARSED = 10_000_000  # bytes of JSON a slow machine can be sure to take in within a second

_OTHER_PROVIDERS = ("dashscope", "deepseek", "minimax", "moonshot", "zai")
_OTHER_FAMILIES = ("deepseek-", "glm-", "kimi-", "minimax-", "qwen3")


class Result:
    """What became of a refresh, in one word and one line."""

    __slots__ = ("entries", "status", "text")

    def __init__(self, status: str, text: str, entries: int = 0) -> None:
        self.status = status  # "updated", "unchanged", "not due", "busy" or "failed"
        self.text = text
        self.entries = entries  # models the list priced

    @property
    def ok(self) -> bool:
        return self.status != "failed"


class Refused(Exception):
    """The list can't be had or is not to be believed; the text says why."""


# --- when ---------------------------------------------------------------------------------------------------------


def address(environ: Mapping[str, str], configured: str | None = None) -> str:
    """Where the list is fetched from: CCUSAGE_PRICES_URL, else the config's, else LiteLLM's own place."""
    return environ.get("CCUSAGE_PRICES_URL", "") or configured or ADDRESS


def is_offline(environ: Mapping[str, str]) -> bool:
    """CCUSAGE_OFFLINE is set to anything but 0, false, no or off."""
    from ..paths import NO

    return environ.get("CCUSAGE_OFFLINE", "").strip().lower() not in ("", *NO)


def before_report(environ: Mapping[str, str], *, offline: bool, address: str) -> str | None:
    """Bring a table older than a day up to date within BEFORE_REPORT seconds; the reason if it can't be.

    *offline* is what command line, environment and config come to. To be called before the prices are looked at. Never
    raises.
    """
    from ..paths import state_dir

    if offline:
        return None
    folder = state_dir(environ)
    if not is_due(folder):
        return None
    result = refresh(folder, force=False, timeout=BEFORE_REPORT, address=address)
    return None if result.ok else result.text


def is_due(state_dir: str) -> bool:
    """Whether a report should fetch the list: the last one is a day old, the last try an hour."""
    notes = _notes(state_dir)
    if _within(notes.get("tried"), PAUSE):
        return False
    return not (_within(notes.get("checked"), MAX_AGE) and _usable(stored.Refreshed.load(state_dir)))


def _within(then: object, seconds: int) -> bool:
    """Whether *then* (seconds since the epoch) is that recent; a time still to come is none."""
    return isinstance(then, (int, float)) and 0 <= time.time() - then < seconds


def _usable(table: stored.Refreshed | None) -> bool:
    """Whether a stored table was laid over the prices this package holds."""
    from .embedded import CURRENT_ID

    return table is not None and table.based_on == CURRENT_ID


def last_checked(state_dir: str) -> int | None:
    """When the stored table was last found to be the current one, in seconds since the epoch; None without one."""
    refreshed = stored.Refreshed.load(state_dir)
    if refreshed is None:
        return None
    checked = _notes(state_dir).get("checked", refreshed.fetched)
    return checked if isinstance(checked, int) else None


def _notes(state_dir: str) -> dict[str, Any]:
    import json

    try:
        notes = json.loads(read_private(os.path.join(state_dir, _NOTES)) or "")
    except (ValueError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _note(state_dir: str, **changed: object) -> None:
    import json

    text = json.dumps({**_notes(state_dir), **changed})
    write_private(state_dir, _NOTES, text.encode())


# --- refresh ------------------------------------------------------------------------------------------------------


def refresh(state_dir: str, *, force: bool, timeout: float, address: str) -> Result:
    """Fetch the list at *address* and make it the current part of the table, if it is plausible.

    *force* asks for it whatever its age and the time of the last try. Not more than *timeout* seconds are spent on the
    transfer, without *force* on all of it. Never raises: what goes wrong is in the result, and the table as it was.
    """
    if not force and not is_due(state_dir):
        return Result("not due", "the price table is from the last 24 hours, or the last try from the last hour")
    try:
        return _refresh(state_dir, force, time.monotonic() + timeout, address)
    except Refused as refused:
        return Result("failed", f"prices not refreshed: {refused}; those of before stay (`ccusage prices show`)")
    except OSError as error:
        return Result("failed", f"prices not refreshed: {error.strerror or error} ({state_dir})")


def _refresh(state_dir: str, force: bool, deadline: float, address: str) -> Result:
    private_dir(state_dir)
    held = lock(os.path.join(state_dir, _LOCK), max(0.0, deadline - time.monotonic()) if force else 0.0)
    if held is None:
        return Result("busy", "another process is refreshing the prices")
    with held:
        if not force and not is_due(state_dir):
            return Result("not due", "another process has just refreshed the prices")
        return _fetch_and_store(state_dir, force, deadline, address)


def _fetch_and_store(state_dir: str, force: bool, deadline: float, address: str) -> Result:
    _note(state_dir, tried=int(time.time()))
    known = stored.Refreshed.load(state_dir)
    notes = _notes(state_dir)
    etag = notes.get("etag") if known is not None and _usable(known) and notes.get("address") == address else None
    reply = fetch(address, etag if isinstance(etag, str) else None, deadline)
    now = int(time.time())
    if reply is None:
        _note(state_dir, checked=now)
        return Result("unchanged", "the price table is up to date", known.entries if known else 0)
    body, etag = reply
    if not force and len(body) > _PARSED * (deadline - time.monotonic()):
        raise Refused(f"a list of {len(body):,} bytes takes too long to read now; `ccusage prices refresh` takes it")
    listed = parse(body)
    current = merged(in_use(known), listed)
    changed = known is None or not _usable(known) or current != known.current
    if changed:
        _table(current, len(listed), address, now).save(state_dir)
    _note(state_dir, checked=now, etag=etag, address=address)
    return Result("updated" if changed else "unchanged", _told(listed, known, changed), len(listed))


def _table(current: Part, entries: int, address: str, now: int) -> stored.Refreshed:
    from urllib.parse import urlsplit

    from .embedded import CURRENT_ID

    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    source = f"the list of {urlsplit(address).hostname} on {day}"
    return stored.Refreshed(current, prices.part_id(current), CURRENT_ID, source, now, entries)


def in_use(known: stored.Refreshed | None) -> Part:
    """The current part that a new list is laid over: the last refresh's and what this package brings."""
    from .embedded import CURRENT

    if known is None:
        return dict(CURRENT)
    return known.current if _usable(known) else {**known.current, **CURRENT}


def _told(listed: Part, known: stored.Refreshed | None, changed: bool) -> str:
    if not changed:
        return f"the price table is up to date: {len(listed)} models"
    before = in_use(known)
    new = sum(name not in before for name in listed)
    other = sum(name in before and before[name] != entry for name, entry in listed.items())
    return f"prices refreshed: {len(listed)} models, {new} new, {other} with another price"


# --- the transfer -------------------------------------------------------------------------------------------------


def fetch(address: str, etag: str | None, deadline: float) -> tuple[bytes, str | None] | None:
    """(body, etag) of the list at *address*, None where it is still the one of *etag*. Raises Refused.

    The work is a thread's, so that nothing holds the caller beyond *deadline* (time.monotonic()): not a name server,
    not a peer that sends a byte a second. A thread that comes too late ends by itself and its list is dropped.
    """
    import threading

    done: list[tuple[bytes, str | None] | None] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(_get(address, etag, deadline))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="ccusage-prices", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if failed:
        raise failed[0]
    if not done:
        raise Refused(f"{_host(address)} does not answer in time")
    return done[0]


def _get(address: str, etag: str | None, deadline: float) -> tuple[bytes, str | None] | None:
    import httpx

    headers = {"User-Agent": f"ccusage-line/{__version__}", "Accept-Encoding": "gzip"}
    if etag:
        headers["If-None-Match"] = etag
    url = _allowed(address)
    left = max(0.1, deadline - time.monotonic())
    try:
        # a proxy or a certificate of the environment's is for the world outside, not for this machine
        with httpx.Client(timeout=left, headers=headers, trust_env=url.scheme == "https") as client:
            for _ in range(REDIRECTS + 1):
                with client.stream("GET", url) as response:
                    target = response.headers.get("location")
                    if response.is_redirect and target:
                        url = _redirected(url, target)
                        continue
                    return _body(response, deadline)
    except Refused:
        raise
    except httpx.TimeoutException:
        raise Refused(f"{_host(address)} does not answer in time") from None
    except Exception as error:  # of any kind: an unknown proxy, a broken certificate, a stream that can't be unpacked
        raise Refused(f"{_host(address)}: {_plain(error)}") from None
    raise Refused(f"{_host(address)} redirects more than {REDIRECTS} times")


def _plain(error: Exception) -> str:
    """An error's words on one line, without its number."""
    import re

    words = (isinstance(error, OSError) and error.strerror) or re.sub(r"^\[Errno -?\d+\] ", "", str(error))
    return " ".join(words.split()) or type(error).__name__


def _allowed(address: str) -> httpx.URL:
    """The address, if it is https; http only where it does not leave this machine."""
    import httpx

    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError) as error:
        raise Refused(f"{address!r} is no address: {error}") from None
    if url.host and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))):
        return url
    raise Refused(f"{address!r} is not an https address")


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _redirected(url: httpx.URL, target: str) -> httpx.URL:
    found = url.join(target)
    if found.scheme != "https":
        raise Refused(f"{url.host} redirects to {found.scheme}, and only https will do")
    return found


def _body(response: httpx.Response, deadline: float) -> tuple[bytes, str | None] | None:
    if response.status_code == 304:
        return None
    host = response.url.host
    if response.status_code != 200:
        raise Refused(f"{host} answers {response.status_code} {response.reason_phrase}".rstrip())
    parts: list[bytes] = []
    size = 0
    for part in _unpacked(response):
        size += len(part)
        if size > LIMIT:
            raise Refused(f"{host} sends more than {LIMIT // 2**20} MB")
        if time.monotonic() > deadline:
            raise Refused(f"{host} does not answer in time")
        parts.append(part)
    return b"".join(parts), response.headers.get("etag")


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    """The body in pieces of at most _PIECE bytes or as they came. httpx itself would unpack all that a piece holds, as
    many times as a header says: gigabytes of a few hundred bytes."""
    import zlib

    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip"):
        raise Refused(f"{response.url.host} packs the list as {encoding[:20]!r}, which nobody asked for")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for packed in response.iter_raw():
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail
    if not unpacker.eof:
        raise Refused(f"{response.url.host} sends half a list")


def _host(address: str) -> str:
    from urllib.parse import urlsplit

    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


# --- the list -----------------------------------------------------------------------------------------------------


def parse(body: bytes) -> Part:
    """The priced models of a list in LiteLLM's format. Raises Refused where it is no such list.

    An entry that can't be understood is left out, and so is one whose name is none that a model could have.
    """
    import json

    try:
        listed = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("what was sent is not JSON") from None
    if not isinstance(listed, dict):
        raise Refused("what was sent is not a price list")
    part: Part = {}
    for key, entry in listed.items():
        name = key.lower()
        if isinstance(entry, dict) and _is_name(key) and _is_wanted(name, entry):
            try:
                part[name] = pack(name, entry)
            except (ValueError, ArithmeticError):
                continue
    if len(part) > MOST_MODELS:
        raise Refused(f"what was sent prices {len(part):,} models, which can't be the list")
    claude = sum("claude" in name for name in part)
    if claude < LEAST_CLAUDE:
        raise Refused(f"what was sent prices {claude} Claude models, which can't be the whole list")
    return part


def _is_name(key: str) -> bool:
    return len(key) <= prices.NAME_LIMIT and key.isascii() and key.isprintable()


def merged(known: Part, listed: Part) -> Part:
    """The list laid over what is known. Raises Refused if its prices are not to be believed.

    A model of a reseller whose price moved by more than FACTOR keeps the one it had, if there are few of them. The
    maker's own names are looked at more strictly: one of them refuses the list.
    """
    odd = [name for name, entry in listed.items() if name in known and not _is_plausible(known[name], entry)]
    for name in odd:
        if name.startswith("claude-") or len(odd) * ODD_PART > len(known):
            raise Refused(f"the price of {name} would change by more than a factor of {FACTOR}")
    part = {**known, **{name: entry for name, entry in listed.items() if name not in odd}}
    return part if len(part) <= MOST_MODELS else listed


def _is_plausible(old: Packed, new: Packed) -> bool:
    """Whether the prices of a model could have become the new ones, and those above its threshold go with them."""
    moved = [(old[:5], new[:5])]
    if new[6] is not None:
        moved.append((new[:5], new[6]))
    for before, after in moved:
        for place, pair in enumerate(zip(before, after, strict=True)):
            low, high = min(pair), max(pair)
            if low == high:
                continue
            if low * FACTOR < high and (low or place < 2):  # caching may become free, input and output not
                return False
    return True


def _is_wanted(name: str, entry: Mapping[str, Any]) -> bool:
    """Claude under any provider, and what its own makers sell of the models people run behind Claude Code."""
    if not entry.get("input_cost_per_token") or entry.get("output_cost_per_token") is None:
        return False
    if "claude" in name:
        return True
    return entry.get("litellm_provider") in _OTHER_PROVIDERS and name.rpartition("/")[2].startswith(_OTHER_FAMILIES)


def pack(name: str, entry: Mapping[str, Any]) -> Packed:
    """An entry as the table has it. Raises ValueError where it can't be understood."""
    threshold, ending = _tier(entry)
    return (
        *_entry_rates(entry, ""),
        threshold,
        _entry_rates(entry, ending) if ending else None,
        _factor(entry, "fast"),
        _factor(entry, "us"),
        _client_window(name) or _window(entry.get("max_input_tokens")),
    )


def _window(tokens: object) -> int | None:
    return tokens if isinstance(tokens, int) and 1 < tokens < 2**53 else None


def _tier(entry: Mapping[str, Any]) -> tuple[int | None, str]:
    """The threshold the field names hold and their common ending, as (200000, "_above_200k_tokens")."""
    import re

    pattern = re.compile(r"input_cost_per_token(_above_(\d{1,9})(k?)_tokens)")
    found = [match for match in map(pattern.fullmatch, entry) if match]
    if len(found) > 1:
        raise ValueError("more than one threshold")
    if not found:
        return None, ""
    ending, number, thousand = found[0].groups()
    return int(number) * (1000 if thousand else 1), ending


def _entry_rates(entry: Mapping[str, Any], ending: str) -> Rates:
    """The five prices; the 1 hour write is twice the input whatever the list says (A10)."""

    def field(*names: str) -> Decimal | None:
        return next((_amount(entry[name + ending]) for name in names if entry.get(name + ending) is not None), None)

    input, output = field("input_cost_per_token"), field("output_cost_per_token")
    if input is None or output is None:
        raise ValueError(f"no input or output price{ending}")
    write = field("cache_creation_input_token_cost")
    read = field("cache_read_input_token_cost", "input_cost_per_token_cache_hit")
    return rates(input, output, write, None, read)


def rates(
    input: Decimal, output: Decimal, write_5m: Decimal | None, write_1h: Decimal | None, read: Decimal | None
) -> Rates:
    """Prices in dollars per token as the table has them; what is not given is 1.25, 2 and a tenth of the input."""
    return (
        _units(input),
        _units(output),
        _units(input * 5 / 4 if write_5m is None else write_5m),
        _units(input * 2 if write_1h is None else write_1h),
        _units(input / 10 if read is None else read),
    )


def _amount(value: object) -> Decimal:
    """A price as it was meant: lists hold products of floats, such as 2.9999900000000002e-06."""
    from decimal import Decimal

    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("not a number")
    return Decimal(f"{Decimal(str(value)):.12g}")


def _units(dollars: Decimal) -> int:
    """The nearest whole number of price units. Raises ValueError for what is no price."""
    if not dollars.is_finite() or dollars < 0:
        raise ValueError("not a price")
    units = int((dollars * prices.UNIT).to_integral_value())
    if units > DEAREST:
        raise ValueError("not a price per token")
    return units


def _factor(entry: Mapping[str, Any], name: str) -> int:
    given = entry.get("provider_specific_entry")
    value = given.get(name) if isinstance(given, dict) else None
    return prices.ONE if value is None else thousandths(_amount(value))


def thousandths(factor: Decimal) -> int:
    """A factor as the table has it. Raises ValueError for what is none."""
    if not factor.is_finite() or not 1 <= factor * prices.ONE <= FACTOR * prices.ONE:
        raise ValueError("not a factor")
    return int((factor * prices.ONE).to_integral_value())


def _client_window(name: str) -> int | None:
    """The client's window of a Claude model from version 4 on, where the list has that of "[1m]"."""
    import re

    match = re.search(
        r"claude-(?:opus|sonnet|haiku|fable|mythos)-(\d)(?:[-.](\d))?(?!\d)"
        r"|claude-(\d)(?:[-.](\d))?-(?:opus|sonnet|haiku)",
        name,
    )
    if match is None:
        return None
    version = int(match[1] or match[3]), int(match[2] or match[4] or 0)
    if version < (4, 0):
        return None
    return 200_000 if version < (4, 7) else prices.LONG_WINDOW


def refresh_command(environ: Mapping[str, str], *, offline: bool, address: str) -> tuple[str, str]:
    """`ccusage prices refresh`: (what to print, what to warn of: why it failed)."""
    from ..paths import state_dir

    if offline:
        return "", "prices not refreshed: the network is switched off (--offline, CCUSAGE_OFFLINE or the config)"
    result = refresh(state_dir(environ), force=True, timeout=TIMEOUT, address=address)
    return (result.text + "\n", "") if result.ok else ("", result.text)
