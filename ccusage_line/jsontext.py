"""Sessions as the JSON text that `--json` prints, and as the same value in Python for `--jq`.

Imports only `session`, because the lean lanes import it. Uses templates instead of the json module, whose import is too
slow for a lean lane and which takes half a second for a list of 10,000 sessions. The text is that of
`json.dumps(value, indent=2, ensure_ascii=False)`, except that unprintable characters are escaped: a terminal would obey
some of them, and a lone surrogate has no UTF-8.
"""

from __future__ import annotations

from .session import UNNAMED_MODEL, dollars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .session import Entry, ModelUsage, Session

    DayOf = Callable[[int], str]  # microseconds since the epoch -> the local day, YYYY-MM-DD
    Sums = tuple[int, int, int, int, int, int]

NO_SUMS = (0, 0, 0, 0, 0, 0)
_DAY = 86_400_000_000  # microseconds
_NAMED_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_SHORT_NAMES: dict[str, str] = {}  # a cache, because many sessions name few models
_NAME_TEXTS: dict[str, tuple[str, str]] = {}  # the same: name -> JSON strings of its short form and of itself
_TWO_DIGITS = tuple(f"{n:02d}" for n in range(60))
_DATES: dict[int, str] = {}  # day number -> YYYY-MM-DDT


def list_json(sessions: Iterable[Session], day_of: DayOf) -> str:
    """Return the JSON of *sessions*, in their order, with the totals; no newline at the end."""
    texts, totals = [], NO_SUMS
    for session in sessions:
        sums = sums_of(session.models)
        totals = add_sums(totals, sums)
        texts.append(_session_text(session, sums, day_of))
    listed = "[\n    " + ",\n    ".join(texts) + "\n  ]" if texts else "[]"
    return f"""{{
  "sessions": {listed},
  "totals": {{
    "inputTokens": {totals[0]},
    "outputTokens": {totals[1]},
    "cacheCreationTokens": {totals[2]},
    "cacheReadTokens": {totals[3]},
    "totalTokens": {totals[4]},
    "totalCost": {dollars(totals[5])!r}
  }}
}}"""


def one_json(session: Session, day_of: DayOf, entries: bool = False) -> str:
    """Return the JSON object of one session, with its entries if *entries*; no newline at the end."""
    text = _session_text(session, sums_of(session.models), day_of)
    if entries:
        listed = _inner_list([_entry_text(e) for e in session.entries or ()])
        text = f'{text[:-6]},\n      "entries": {listed}\n    }}'
    return text.replace("\n    ", "\n")  # reduce the indent to the top level's; no JSON string contains a raw newline


def list_data(sessions: Iterable[Session], day_of: DayOf) -> dict[str, Any]:
    return data_of(list_json(sessions, day_of))


def as_data(session: Session, day_of: DayOf, entries: bool = False) -> dict[str, Any]:
    return data_of(one_json(session, day_of, entries))


def data_of(text: str) -> dict[str, Any]:
    """Return the object that a JSON text of this module represents, as the json module would load it."""
    from .files import load_scanner

    value: dict[str, Any] = load_scanner()(text, 0)[0]
    return value


def sums_of(models: Iterable[ModelUsage]) -> Sums:
    """Return the input, output, cache write, cache read and total tokens and the cost (1e-12 dollars) of *models*."""
    tokens_in = tokens_out = created = read = cost = 0
    for m in models:
        tokens_in += m.input
        tokens_out += m.output
        created += m.cache_creation
        read += m.cache_read
        cost += m.cost
    return tokens_in, tokens_out, created, read, tokens_in + tokens_out + created + read, cost


def add_sums(a: Sums, b: Sums) -> Sums:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5]


def short_models(models: Iterable[ModelUsage]) -> list[str]:
    return sorted({short_model(m.name) for m in models})


def short_model(name: str) -> str:
    """Return a short name for people: `opus-4-1` for `us.anthropic.claude-opus-4-1-20250805-v1:0`; never "".

    Provider, region, `claude-`, date and Bedrock's version are removed, but not `[1m]` or what distinguishes models.
    """
    short = _SHORT_NAMES.get(name)
    if short is None:
        short = _SHORT_NAMES[name] = _shorten(name) or name
    return short


def _shorten(name: str) -> str:
    base, bracket, window = name.rpartition("/")[2].partition("[")
    base = base.partition("@")[0]
    start = base.lower().find("claude-")
    of_claude = start == 0 or (start > 0 and not base[start - 1].isalnum())
    base = base[start + len("claude-") :] if of_claude else _without_maker(base)
    base = _without_date(_without_version(base, of_claude))
    return base + bracket + window if base else ""


def _without_maker(base: str) -> str:
    """Remove leading parts that consist of letters and end with a dot: `zai.glm-4.7`, `us.deepseek.r1`."""
    head, dot, rest = base.partition(".")
    while dot and rest and head.replace("-", "").isalpha():
        base = rest
        head, dot, rest = base.partition(".")
    return base


def _without_version(base: str, of_claude: bool) -> str:
    """Remove `-v1:0`, and from a Claude model also a plain `-v1` (other makers' models have names like `-v3`)."""
    head, mark, version = base.rpartition("-v")
    digits, colon, _ = version.partition(":")
    return head if mark and head and digits.isdecimal() and (colon or of_claude) else base


def _without_date(base: str) -> str:
    head, dash, date = base.rpartition("-")
    return head if dash and head and len(date) == 8 and date.isdecimal() and date.startswith("20") else base


def rfc3339(us: int) -> str:
    """Return *us* (microseconds since the epoch) as `2026-11-23T06:19:56.800Z`, with six decimals if it needs them."""
    days, rest = divmod(us, _DAY)
    date = _DATES.get(days)
    if date is None:
        year, month, day = civil(days)
        date = _DATES[days] = f"{year:04d}-{month:02d}-{day:02d}T"
    seconds, fraction = divmod(rest, 1_000_000)
    minutes, second = divmod(seconds, 60)
    decimals = f"{fraction:06d}" if fraction % 1000 else f"{fraction // 1000:03d}"
    return f"{date}{_TWO_DIGITS[minutes // 60]}:{_TWO_DIGITS[minutes % 60]}:{_TWO_DIGITS[second]}.{decimals}Z"


def civil(days: int) -> tuple[int, int, int]:
    """Return the year, month and day of the Gregorian calendar *days* after 1970-01-01.

    Years begin in March here, so that the leap day is the last of its year; a cycle has 400 years (146,097 days).
    """
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153  # 0 is March
    day -= (153 * month + 2) // 5
    return era * 400 + year + (month > 9), month + (3 if month < 10 else -9), day + 1


def string_text(text: str) -> str:
    """Return *text* as a JSON string with its quotes. Printable non-ASCII characters are not escaped."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'  # isprintable() is false for all control characters and surrogates
    return f'"{"".join(map(_character_text, text))}"'


def _character_text(c: str) -> str:
    named = _NAMED_ESCAPES.get(c)
    if named is not None or c.isprintable():
        return named or c
    code = ord(c)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def finite(number: float | None) -> float | None:
    """Return *number* as a float that JSON can express: None for NaN and infinity, 0.0 for -0.0."""
    if number is None or number != number or number in (float("inf"), float("-inf")):
        return None
    return float(number) or 0.0


def _session_text(session: Session, sums: Sums, day_of: DayOf) -> str:
    models, last = session.models, session.last
    named = models if len(models) == 1 and models[0].name else session.named_models
    unpriced = session.unpriced_models if session.has_unpriced else []
    return f"""{{
      "sessionId": {string_text(session.id)},
      "inputTokens": {sums[0]},
      "outputTokens": {sums[1]},
      "cacheCreationTokens": {sums[2]},
      "cacheReadTokens": {sums[3]},
      "totalTokens": {sums[4]},
      "totalCost": {dollars(sums[5])!r},
      "lastActivity": {"null" if last is None else string_text(day_of(last))},
      "firstActivityAt": {_time_text(session.first)},
      "lastActivityAt": {_time_text(last)},
      "modelsUsed": {_inner_list([string_text(name) for name in short_models(named)])},
      "modelBreakdowns": {_inner_list([_breakdown_text(m) for m in named])},
      "projectPath": {_optional_text(session.project_path)},
      "title": {_optional_text(session.title)},
      "responses": {session.responses},
      "incompleteResponses": {session.incomplete},
      "unpricedModels": {_inner_list([string_text(name) for name in unpriced])},
      "clientCost": {_optional_number(finite(session.client_cost))},
      "archived": {"true" if session.archived else "false"}
    }}"""


def _inner_list(items: list[str]) -> str:
    return "[\n        " + ",\n        ".join(items) + "\n      ]" if items else "[]"


def _breakdown_text(m: ModelUsage) -> str:
    short, name = _name_texts(m.name)
    cost = repr(dollars(m.cost))
    return f"""{{
          "model": {short},
          "modelName": {name},
          "inputTokens": {m.input},
          "outputTokens": {m.output},
          "cacheCreationTokens": {m.cache_creation},
          "cacheReadTokens": {m.cache_read},
          "totalTokens": {m.input + m.output + m.cache_creation + m.cache_read},
          "totalCost": {cost},
          "cost": {cost}
        }}"""


def _entry_text(e: Entry) -> str:
    return f"""{{
          "timestamp": {_time_text(e.timestamp)},
          "model": {string_text(e.model or UNNAMED_MODEL)},
          "inputTokens": {e.input},
          "outputTokens": {e.output},
          "cacheCreationTokens": {e.cache_creation},
          "cacheReadTokens": {e.cache_read},
          "costUSD": {dollars(e.cost)!r}
        }}"""


def _time_text(us: int | None) -> str:
    return "null" if us is None else f'"{rfc3339(us)}"'


def _optional_text(text: str | None) -> str:
    return "null" if text is None else string_text(text)


def _optional_number(number: float | None) -> str:
    return "null" if number is None else repr(number)


def _name_texts(name: str) -> tuple[str, str]:
    texts = _NAME_TEXTS.get(name)
    if texts is None:
        texts = _NAME_TEXTS[name] = string_text(short_model(name)), string_text(name)
    return texts
