"""Fetching the current price list that LiteLLM publishes. No other module uses the network.

If the list can't be fetched or is implausible, the price table stays unchanged and the result says why in one line. A
model that is no longer in the list keeps its price, so that old transcripts can still be priced.
"""

from __future__ import annotations

import os
import time

from .. import __version__
from ..files import make_private_folder, read_private, write_private
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
TIMEOUT = 5.0  # seconds for a transfer that the user requested
BEFORE_REPORT = 3.0  # seconds for a transfer before a report
MAX_AGE = 24 * 3600  # seconds after which a report fetches the list again
PAUSE = 3600  # seconds between two attempts by reports
LIMIT = 64 * 1024 * 1024  # bytes of a decompressed list; that of 2026 has 2 MB
REDIRECTS = 5

# The bounds of a plausible list.
MAX_MODELS = 20_000  # LiteLLM lists some 3,000; every command that needs a price loads all of them
MIN_CLAUDE = 20  # priced entries with "claude" in their name; the list of 2026 has 350
FACTOR = 20  # the most by which the price of a model may change; no maker has ever exceeded 5
IMPLAUSIBLE_SHARE = 20  # at most one in this many of the known models may change by more; it keeps its old price
DEAREST = prices.UNIT // 10  # price units per token: $100,000 per million tokens

# The times of attempts are not in the file of the table, because published answers depend on the stat of that file.
_NOTES = "prices-tries.json"
_LOCK = "prices.lock"
_PIECE = 64 * 1024  # bytes decompressed at a time
_PARSED_PER_SECOND = 10_000_000  # bytes of JSON that even a slow machine parses in a second

_OTHER_PROVIDERS = ("dashscope", "deepseek", "minimax", "moonshot", "zai")
_OTHER_FAMILIES = ("deepseek-", "glm-", "kimi-", "minimax-", "qwen3")


class Result:
    """The outcome of a refresh, as one word and as one line of text."""

    __slots__ = ("entries", "status", "text")

    def __init__(self, status: str, text: str, entries: int = 0) -> None:
        self.status = status  # "updated", "unchanged", "not due", "busy" or "failed"
        self.text = text
        self.entries = entries  # the number of models with a price in the list

    @property
    def ok(self) -> bool:
        return self.status != "failed"


class Refused(Exception):
    """The list could not be fetched or is implausible; the text says why."""


# --- when ---------------------------------------------------------------------------------------------------------


def address(environ: Mapping[str, str], configured: str | None = None) -> str:
    """Return the URL of the list: CCUSAGE_PRICES_URL, else the one in the config, else LiteLLM's."""
    return environ.get("CCUSAGE_PRICES_URL", "") or configured or ADDRESS


def is_offline(environ: Mapping[str, str]) -> bool:
    """Return whether CCUSAGE_OFFLINE is set to anything but 0, false, no or off."""
    from ..paths import NO

    return environ.get("CCUSAGE_OFFLINE", "").strip().lower() not in ("", *NO)


def before_report(environ: Mapping[str, str], *, offline: bool, address: str) -> str | None:
    """Refresh a table older than a day within BEFORE_REPORT seconds. Return None, or the reason why that failed.

    *offline* combines the command line, the environment and the config. Call this before the first use of the prices.
    Never raises.
    """
    from ..paths import state_dir

    if offline:
        return None
    result = refresh(state_dir(environ), force=False, timeout=BEFORE_REPORT, address=address)
    return None if result.ok else result.text


def is_due(state_dir: str) -> bool:
    """Return whether a report should fetch the list: the last one is a day old, and the last attempt an hour."""
    notes = _load_notes(state_dir)
    if _is_recent(notes.get("tried"), PAUSE):
        return False
    return not (_is_recent(notes.get("checked"), MAX_AGE) and _is_of_this_version(stored.Refreshed.load(state_dir)))


def _is_recent(then: object, seconds: int) -> bool:
    """Return whether *then* (seconds since the epoch) is less than *seconds* ago, and not in the future."""
    return isinstance(then, (int, float)) and 0 <= time.time() - then < seconds


def _is_of_this_version(table: stored.Refreshed | None) -> bool:
    """Return whether a stored table was merged into the prices of this version of the package."""
    from .embedded import CURRENT_ID

    return table is not None and table.based_on == CURRENT_ID


def last_checked(state_dir: str) -> int | None:
    """Return when the stored table was last confirmed to be current (seconds since the epoch), or None without one."""
    refreshed = stored.Refreshed.load(state_dir)
    if refreshed is None:
        return None
    checked = _load_notes(state_dir).get("checked", refreshed.fetched)
    return checked if isinstance(checked, int) else None


def _load_notes(state_dir: str) -> dict[str, Any]:
    import json

    try:
        notes = json.loads(read_private(os.path.join(state_dir, _NOTES)) or "")
    except (ValueError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _update_notes(state_dir: str, **changed: object) -> dict[str, Any]:
    """Change some of the notes, and return all of them. Raises OSError."""
    import json

    notes = {**_load_notes(state_dir), **changed}
    write_private(state_dir, _NOTES, json.dumps(notes).encode())
    return notes


# --- refresh ------------------------------------------------------------------------------------------------------


def refresh(state_dir: str, *, force: bool, timeout: float, address: str) -> Result:
    """Fetch the list at *address* and, if it is plausible, make it the current part of the table.

    *force* fetches it whatever its age and the time of the last attempt. *timeout* (seconds) limits the transfer or,
    without *force*, everything. Never raises: if anything fails, the result says why and the table is unchanged.
    """
    if not force and not is_due(state_dir):
        return Result("not due", "the price table is less than a day old, or the last attempt less than an hour")
    try:
        return _refresh(state_dir, force, time.monotonic() + timeout, address)
    except Refused as refused:
        return Result(
            "failed", f"prices not refreshed: {refused}; the current prices stay in use (`ccusage prices show`)"
        )
    except OSError as error:
        return Result("failed", f"prices not refreshed: {error.strerror or error} ({state_dir})")


def _refresh(state_dir: str, force: bool, deadline: float, address: str) -> Result:
    make_private_folder(state_dir)
    held = lock(os.path.join(state_dir, _LOCK), max(0.0, deadline - time.monotonic()) if force else 0.0)
    if held is None:
        return Result("busy", "another process is refreshing the prices")
    with held:
        if not force and not is_due(state_dir):
            return Result("not due", "another process has just refreshed the prices")
        return _fetch_and_store(state_dir, force, deadline, address)


def _fetch_and_store(state_dir: str, force: bool, deadline: float, address: str) -> Result:
    notes = _update_notes(state_dir, tried=int(time.time()))
    known = stored.Refreshed.load(state_dir)
    etag = notes.get("etag") if _is_of_this_version(known) and notes.get("address") == address else None
    reply = fetch(address, etag if isinstance(etag, str) else None, deadline)
    now = int(time.time())
    if reply is None:
        _update_notes(state_dir, checked=now)
        return Result("unchanged", "the price table is up to date", known.entries if known else 0)
    body, etag = reply
    if not force and len(body) > _PARSED_PER_SECOND * (deadline - time.monotonic()):
        raise Refused(f"a list of {len(body):,} bytes takes too long before a report; run `ccusage prices refresh`")
    listed = parse(body)
    current = merge(_known_prices(known), listed)
    changed = known is None or not _is_of_this_version(known) or current != known.current
    if changed:
        _make_table(current, len(listed), address, now).save(state_dir)
    _update_notes(state_dir, checked=now, etag=etag, address=address)
    return Result("updated" if changed else "unchanged", _summary(listed, known, changed), len(listed))


def _make_table(current: Part, entries: int, address: str, now: int) -> stored.Refreshed:
    from urllib.parse import urlsplit

    from .embedded import CURRENT_ID

    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    source = f"the list of {urlsplit(address).hostname} on {day}"
    return stored.Refreshed(current, prices.part_id(current), CURRENT_ID, source, now, entries)


def _known_prices(known: stored.Refreshed | None) -> Part:
    """Return the current part into which a new list is merged: that of the last refresh and that of this package."""
    from .embedded import CURRENT

    if known is None:
        return dict(CURRENT)
    return known.current if _is_of_this_version(known) else {**known.current, **CURRENT}


def _summary(listed: Part, known: stored.Refreshed | None, changed: bool) -> str:
    if not changed:
        return f"the price table is up to date: {len(listed)} models"
    before = _known_prices(known)
    new_count = sum(name not in before for name in listed)
    changed_count = sum(name in before and before[name] != entry for name, entry in listed.items())
    return f"prices refreshed: {len(listed)} models, {new_count} new, {changed_count} with a changed price"


# --- the transfer -------------------------------------------------------------------------------------------------


def fetch(address: str, etag: str | None, deadline: float) -> tuple[bytes, str | None] | None:
    """Return (body, etag) of the list at *address*, or None if it is still the one with this *etag*. Raises Refused.

    A thread does the work, so that nothing blocks the caller beyond *deadline* (of time.monotonic()): neither a name
    server nor a peer that sends a byte a second. A thread that is too late ends by itself, and its list is dropped.
    """
    import threading

    replies: list[tuple[bytes, str | None] | None] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            replies.append(_get(address, etag, deadline))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="ccusage-prices", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if errors:
        raise errors[0]
    if not replies:
        raise Refused(f"{_host(address)} does not answer in time")
    return replies[0]


def _get(address: str, etag: str | None, deadline: float) -> tuple[bytes, str | None] | None:
    import httpx

    headers = {"User-Agent": f"ccusage-line/{__version__}", "Accept-Encoding": "gzip"}
    if etag:
        headers["If-None-Match"] = etag
    url = _checked_url(address)
    left = max(0.1, deadline - time.monotonic())
    try:
        # A proxy or a certificate in the environment is for other machines, not for http to this one.
        with httpx.Client(timeout=left, headers=headers, trust_env=url.scheme == "https") as client:
            for _ in range(REDIRECTS + 1):
                with client.stream("GET", url) as response:
                    target = response.headers.get("location")
                    if response.is_redirect and target:
                        url = _resolve_redirect(url, target)
                        continue
                    return _read_body(response, deadline)
    except Refused:
        raise
    except httpx.TimeoutException:
        raise Refused(f"{_host(address)} does not answer in time") from None
    except Exception as error:  # an unknown proxy, an invalid certificate, a stream that can't be decompressed
        raise Refused(f"{_host(address)}: {_error_text(error)}") from None
    raise Refused(f"{_host(address)} redirects more than {REDIRECTS} times")


def _error_text(error: Exception) -> str:
    """Return an error's message on one line, without its errno."""
    import re

    words = (isinstance(error, OSError) and error.strerror) or re.sub(r"^\[Errno -?\d+\] ", "", str(error))
    return " ".join(words.split()) or type(error).__name__


def _checked_url(address: str) -> httpx.URL:
    """Return *address* as a URL. Raises Refused unless it is https, or http to this machine."""
    import httpx

    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError) as error:
        raise Refused(f"{address!r} is not a valid address: {error}") from None
    if url.host and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))):
        return url
    raise Refused(f"{address!r} is not an https address")


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _resolve_redirect(url: httpx.URL, target: str) -> httpx.URL:
    resolved = url.join(target)
    if resolved.scheme != "https":
        raise Refused(f"{url.host} redirects to {resolved.scheme}, but only https is allowed")
    return resolved


def _read_body(response: httpx.Response, deadline: float) -> tuple[bytes, str | None] | None:
    if response.status_code == 304:
        return None
    host = response.url.host
    if response.status_code != 200:
        raise Refused(f"{host} answers {response.status_code} {response.reason_phrase}".rstrip())
    parts: list[bytes] = []
    size = 0
    for part in _decompressed(response):
        size += len(part)
        if size > LIMIT:
            raise Refused(f"{host} sends more than {LIMIT // 2**20} MB")
        if time.monotonic() > deadline:
            raise Refused(f"{host} does not answer in time")
        parts.append(part)
    return b"".join(parts), response.headers.get("etag")


def _decompressed(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body decompressed, in pieces of at most _PIECE bytes, or uncompressed as it arrives. Raises Refused.

    httpx would decompress a whole piece, in as many layers as a header says: a few hundred bytes can become gigabytes.
    """
    import zlib

    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip"):
        raise Refused(f"{response.url.host} compresses the list as {encoding[:20]!r}, not as gzip")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for packed in response.iter_raw():
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail
    if not unpacker.eof:
        raise Refused(f"{response.url.host} sent an incomplete list")


def _host(address: str) -> str:
    from urllib.parse import urlsplit

    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


# --- the list -----------------------------------------------------------------------------------------------------


def parse(body: bytes) -> Part:
    """Return the prices of the wanted models of a list in LiteLLM's format. Raises Refused if it is not such a list.

    Entries that can't be parsed are skipped, and so are those with a name that no model can have.
    """
    import json

    try:
        listed = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("the reply is not JSON") from None
    if not isinstance(listed, dict):
        raise Refused("the reply is not a price list")
    part: Part = {}
    for key, entry in listed.items():
        name = key.lower()
        is_name = len(key) <= prices.NAME_LIMIT and key.isascii() and key.isprintable()
        if is_name and isinstance(entry, dict) and _is_wanted(name, entry):
            try:
                part[name] = pack(name, entry)
            except (ValueError, ArithmeticError):
                continue
    if len(part) > MAX_MODELS:
        raise Refused(f"the reply has prices of {len(part):,} models, too many for a price list")
    claude_count = sum("claude" in name for name in part)
    if claude_count < MIN_CLAUDE:
        raise Refused(f"the reply has prices of {claude_count} Claude models, too few for a whole price list")
    return part


def merge(known: Part, listed: Part) -> Part:
    """Merge a list into the known prices. Raises Refused if its prices are implausible.

    If few models changed by more than FACTOR, they keep their old prices. But if one of them has the maker's own name
    (`claude-...`), the whole list is refused.
    """
    implausible = [name for name, entry in listed.items() if name in known and not _is_plausible(known[name], entry)]
    for name in implausible:
        if name.startswith("claude-") or len(implausible) * IMPLAUSIBLE_SHARE > len(known):
            raise Refused(f"the price of {name} would change by more than a factor of {FACTOR}")
    part = {**known, **{name: entry for name, entry in listed.items() if name not in implausible}}
    return part if len(part) <= MAX_MODELS else listed


def _is_plausible(old: Packed, new: Packed) -> bool:
    """Return whether a price change is plausible, and whether the new prices above the threshold fit those below."""
    changes = [(old[:5], new[:5])]
    if new[6] is not None:
        changes.append((new[:5], new[6]))
    for before, after in changes:
        for kind, pair in enumerate(zip(before, after, strict=True)):
            low, high = min(pair), max(pair)
            if low * FACTOR < high and (low or kind < 2):  # only caching may become free, not input and output
                return False
    return True


def _is_wanted(name: str, entry: Mapping[str, Any]) -> bool:
    """Return whether an entry has a price and is of Claude, or of a model that people use with Claude Code instead."""
    if not entry.get("input_cost_per_token") or entry.get("output_cost_per_token") is None:
        return False
    if "claude" in name:
        return True
    return entry.get("litellm_provider") in _OTHER_PROVIDERS and name.rpartition("/")[2].startswith(_OTHER_FAMILIES)


def pack(name: str, entry: Mapping[str, Any]) -> Packed:
    """Return an entry in the form of the table. Raises ValueError or ArithmeticError if it can't be parsed."""
    threshold, suffix = _tier(entry)
    above = _entry_rates(entry, suffix) if suffix else None
    tokens = entry.get("max_input_tokens")
    window = _client_window(name) or (tokens if isinstance(tokens, int) and 1 < tokens < 2**53 else None)
    return (*_entry_rates(entry, ""), threshold, above, _factor(entry, "fast"), _factor(entry, "us"), window)


def _tier(entry: Mapping[str, Any]) -> tuple[int | None, str]:
    """Return the threshold in the field names and their common suffix: (200000, "_above_200k_tokens")."""
    import re

    pattern = re.compile(r"input_cost_per_token(_above_(\d{1,9})(k?)_tokens)")
    matches = [match for match in map(pattern.fullmatch, entry) if match]
    if len(matches) > 1:
        raise ValueError("more than one threshold")
    if not matches:
        return None, ""
    suffix, number, thousand = matches[0].groups()
    return int(number) * (1000 if thousand else 1), suffix


def _entry_rates(entry: Mapping[str, Any], suffix: str) -> Rates:
    """Return the five prices; that of a 1 hour write is always twice that of input, whatever the list says (A10)."""

    def field(*names: str) -> Decimal | None:
        return next((_amount(entry[name + suffix]) for name in names if entry.get(name + suffix) is not None), None)

    input, output = field("input_cost_per_token"), field("output_cost_per_token")
    if input is None or output is None:
        raise ValueError(f"no input or output price{suffix}")
    write = field("cache_creation_input_token_cost")
    read = field("cache_read_input_token_cost", "input_cost_per_token_cache_hit")
    return rates(input, output, write, None, read)


def rates(
    input: Decimal, output: Decimal, write_5m: Decimal | None, write_1h: Decimal | None, read: Decimal | None
) -> Rates:
    """Convert dollars per token to price units. For None, the writes are 1.25 and 2 times the input, the read 0.1."""
    return (
        _units(input),
        _units(output),
        _units(input * 5 / 4 if write_5m is None else write_5m),
        _units(input * 2 if write_1h is None else write_1h),
        _units(input / 10 if read is None else read),
    )


def _amount(value: object) -> Decimal:
    """Return a price rounded to 12 digits, because lists contain products of floats such as 2.9999900000000002e-06."""
    from decimal import Decimal

    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("not a number")
    return Decimal(f"{Decimal(str(value)):.12g}")


def _units(dollars: Decimal) -> int:
    """Return the nearest integer of price units. Raises ValueError if *dollars* is not a plausible price per token."""
    if not dollars.is_finite() or dollars < 0:
        raise ValueError("not a price")
    units = int((dollars * prices.UNIT).to_integral_value())
    if units > DEAREST:
        raise ValueError("not a price per token")
    return units


def _factor(entry: Mapping[str, Any], name: str) -> int:
    factors = entry.get("provider_specific_entry")
    value = factors.get(name) if isinstance(factors, dict) else None
    return prices.ONE if value is None else thousandths(_amount(value))


def thousandths(factor: Decimal) -> int:
    """Return a factor in thousandths. Raises ValueError if it is not from 1 to FACTOR."""
    if not factor.is_finite() or not 1 <= factor * prices.ONE <= FACTOR * prices.ONE:
        raise ValueError("not a factor")
    return int((factor * prices.ONE).to_integral_value())


def _client_window(name: str) -> int | None:
    """Return the client's context window of a Claude model since version 4, for which the list has that of "[1m]"."""
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
    """Run `ccusage prices refresh`. Return (text to print, warning that says why it failed)."""
    from ..paths import state_dir

    if offline:
        return "", "prices not refreshed: the network is switched off (--offline, CCUSAGE_OFFLINE or the config)"
    result = refresh(state_dir(environ), force=True, timeout=TIMEOUT, address=address)
    return (result.text + "\n", "") if result.ok else ("", result.text)
