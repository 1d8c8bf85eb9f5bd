"""The names of Claude models, as the maker, clouds, gateways and proxies write them (A11).

Imports nothing, because the lean lanes import it. A name consists of a prefix that says who serves the model, `claude`,
and words: one family, a version of one or two numbers before or after it, and decorations that do not change the price.
A name that contains anything else is not recognized.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Servers whose name may precede a model's without a slash: `databricks-claude-opus-4-6`, `vertex_ai:claude-opus-4-6`.
_SERVERS = (
    *("ai", "amazon", "anthropic", "antigravity", "aws", "azure", "bedrock", "copilot", "cursor", "databricks", "gcp"),
    *("gemini", "github", "google", "kiro", "litellm", "openrouter", "sap", "snowflake", "system", "vertex"),
    "vertexai",
)
_SEPARATORS = "-_:."  # the characters between the two
_THINKING = ("thinking", "think", "thought", "reasoning")  # proxies request thinking so; it has no separate price
_DECORATIONS = (*_THINKING, "beta", "default", "latest", "minimal", "low", "medium", "high", "xhigh", "max")
_TO_DASHES = str.maketrans("_:@.", "----")


class Model:
    """The model that a name means; `key` is (family, major version, minor version)."""

    __slots__ = ("date", "fast", "key")

    def __init__(self, key: tuple[str, int, int], date: str, fast: bool) -> None:
        self.key = key
        self.date = date  # YYYYMMDD or ""
        self.fast = fast  # fast mode: the only decoration that changes the price

    def names(self) -> Iterator[str]:
        """Yield the names that a list may have for the model, without prefix and decorations."""
        family, major, minor = self.key
        versions = [f"{major}-{minor}", f"{major}.{minor}"]
        if not minor:
            versions.insert(0, str(major))
        for version in versions:
            yield f"claude-{family}-{version}"
            yield f"claude-{version}-{family}"


def core_of(name: str) -> str:
    """Return *name* from its last `claude` on, or "" if there is none."""
    return name[name.rfind("claude") :] if "claude" in name else ""


def model_of(name: str) -> Model | None:
    """Return the model that a lower-case name means, or None if it lacks family or version or has any other word."""
    if not name.isascii():  # str.isdigit() accepts other digits
        return None
    core = core_of(name)
    rest = name
    while len(rest) > len(core):
        rest = without_prefix(rest)
    return _parse(core) if core and rest == core else None


def without_prefix(name: str) -> str:
    """Remove the first path segment of a name, else its server, else its region; return "" if it has none of them."""
    _, slash, rest = name.partition("/")
    if slash:
        return rest
    for server in _SERVERS:
        rest = name[len(server) :]
        if rest[:1] in _SEPARATORS and name.startswith(server):
            return rest.lstrip(_SEPARATORS)
    region, maker, rest = name.partition("anthropic.")
    if maker and region.endswith("."):
        return maker + rest
    return ""


def _parse(core: str) -> Model | None:
    parser = _NameParser()
    return parser.model() if all(map(parser.accepts, _words(core))) else None


def _words(core: str) -> list[str]:
    """Return the words after `claude`, with numbers split off (`claude4`, `opus4`)."""
    core, long, rest = core.partition("[1m]")
    core, bracket, mark = core.partition("(")  # `claude-opus-4-6(high)`
    if bracket:
        core += f"-{mark[:-1]}" if mark.endswith(")") else bracket
    words = []
    for word in (core + ("-1m" if long else "") + rest).translate(_TO_DASHES).split("-"):
        letters = word.rstrip("0123456789")
        words += [letters, word[len(letters) :]] if len(letters) > 3 and letters != word else [word]
    return words[1:] if words[0] == "claude" else [""]


class _NameParser:
    """A parser that accepts the words of a name one by one."""

    def __init__(self) -> None:
        self._family = ""
        self._version_before: list[int] = []  # the version's numbers, if it comes before the family
        self._version_after: list[int] = []  # the same, if it comes after the family
        self._date = ""
        self._last = ""  # the kind of the last word
        self._decorated = False  # neither a family nor a version can follow a decoration
        self._fast = False

    def accepts(self, word: str) -> bool:
        kind = self._accept_number(word) if word.isdigit() else self._accept_word(word)
        self._last = kind
        return bool(kind)

    def _accept_number(self, word: str) -> str:
        if len(word) == 8 and word.startswith("20"):
            return self._accept_date(word, "date")
        if self._last == "version":
            return "revision" if word == "0" else ""  # the 0 of v1:0
        if self._last == "thinking":
            return "budget" if len(word) > 3 else ""
        if len(word) == 4 and word.startswith("20"):  # a date with dashes
            return self._accept_date(word, "year")
        if self._last in ("year", "month"):
            return self._continue_date(word)
        if self._decorated or len(word) > 2 or (len(word) > 1 and word[0] == "0"):
            return ""
        (self._version_after if self._family else self._version_before).append(int(word))
        return "number"

    def _accept_date(self, word: str, kind: str) -> str:
        if self._date:
            return ""
        self._date, self._decorated = word, True
        return kind

    def _continue_date(self, word: str) -> str:
        self._date += word
        if len(word) != 2:
            return ""
        return "month" if self._last == "year" else "date"

    def _accept_word(self, word: str) -> str:
        if self._last in ("year", "month"):
            return ""
        if word[:1] == "v" and word[1:].isdigit():
            return self._accept_release(word)
        if word in _DECORATIONS or word in ("fast", "1m") or (word[-1:] == "k" and word[:-1].isdigit()):
            self._decorated = True
            self._fast |= word == "fast"
            return "thinking" if word in _THINKING else "mark"
        if self._family or self._decorated or not word.isalpha():
            return ""
        self._family = word
        return "family"

    def _accept_release(self, word: str) -> str:
        """Accept `v1` and the like after a date or a version."""
        second = word == "v2" and self._family == "sonnet" and self._version_before == [3, 5]  # Vertex AI's second 3.5
        first = word == "v1" and bool(self._version_before)
        self._decorated = True
        return "version" if first or second or self._last in ("number", "date") else ""

    def model(self) -> Model | None:
        version = self._version_before or self._version_after
        if not self._family or not 0 < len(version) < 3 or (self._version_before and self._version_after):
            return None
        if self._last in ("year", "month"):
            return None
        key = self._family, version[0], version[1] if len(version) > 1 else 0
        return Model(key, self._date, self._fast)
