"""Claude's names as makers, clouds, gateways and proxies write them: which model one means (A11).

On the lean lanes: imports nothing. A name is a prefix that says whose it is, `claude`, and words: one family, a version
of one or two numbers before or behind it, and decorations that change no price. Anything else in it, and it is no such
name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Who serves a model, where that is glued before its name: `databricks-claude-opus-4-6`, `vertex_ai:claude-opus-4-6`.
_SERVED_BY = (
    *("ai", "amazon", "anthropic", "antigravity", "aws", "azure", "bedrock", "copilot", "cursor", "databricks", "gcp"),
    *("gemini", "github", "google", "kiro", "litellm", "openrouter", "sap", "snowflake", "system", "vertex"),
    "vertexai",
)
_GLUE = "-_:."  # between it and the name
_THINKING = ("thinking", "think", "thought", "reasoning")  # how proxies ask for it; it is not priced apart
_PLAIN = (*_THINKING, "beta", "default", "latest", "minimal", "low", "medium", "high", "xhigh", "max")
_TO_DASHES = str.maketrans("_:@.", "----")


class Model:
    """What a name says: `key` is the family and the version, whatever the order they were told in."""

    __slots__ = ("date", "fast", "key")

    def __init__(self, key: tuple[str, int, int], date: str, fast: bool) -> None:
        self.key = key
        self.date = date  # YYYYMMDD, or empty
        self.fast = fast  # the one decoration that changes the price

    def names(self) -> Iterator[str]:
        """How a list may call the model, without prefix and decorations."""
        family, major, minor = self.key
        versions = [f"{major}-{minor}", f"{major}.{minor}"]
        if not minor:
            versions.insert(0, str(major))
        for version in versions:
            yield f"claude-{family}-{version}"
            yield f"claude-{version}-{family}"


def core_of(name: str) -> str:
    """*name* from its last `claude` on."""
    return name[name.rfind("claude") :] if "claude" in name else ""


def model_of(name: str) -> Model | None:
    """The model that *name* (in lower case) means; None where it tells no family, no version or anything else."""
    if not name.isascii():  # digits beyond are not meant
        return None
    core = core_of(name)
    rest = name
    while len(rest) > len(core):
        rest = without_prefix(rest)
    return _parsed(core) if core and rest == core else None


def without_prefix(name: str) -> str:
    """*name* less its first path segment, else who serves it, else its region; empty if it has none of them."""
    _, slash, rest = name.partition("/")
    if slash:
        return rest
    for server in _SERVED_BY:
        rest = name[len(server) :]
        if rest[:1] in _GLUE and name.startswith(server):
            return rest.lstrip(_GLUE)
    region, maker, rest = name.partition("anthropic.")
    if maker and region.endswith("."):
        return maker + rest
    return ""


def _parsed(core: str) -> Model | None:
    reader = _Reader()
    return reader.model() if all(map(reader.takes, _words(core))) else None


def _words(core: str) -> list[str]:
    """The words behind `claude`; what is glued (`claude4`, `opus4`) apart."""
    core, long, rest = core.partition("[1m]")
    core, bracket, mark = core.partition("(")  # `claude-opus-4-6(high)`
    if bracket:
        core += f"-{mark[:-1]}" if mark.endswith(")") else bracket
    words = []
    for word in (core + ("-1m" if long else "") + rest).translate(_TO_DASHES).split("-"):
        letters = word.rstrip("0123456789")
        words += [letters, word[len(letters) :]] if len(letters) > 3 and letters != word else [word]
    return words[1:] if words[0] == "claude" else [""]


class _Reader:
    """Takes the words of a name, one after the other, as long as they make sense."""

    def __init__(self) -> None:
        self._family = ""
        self._before: list[int] = []  # numbers of a version told before the family
        self._behind: list[int] = []
        self._date = ""
        self._last = ""  # what the last word was
        self._decorated = False  # after a decoration comes no family and no version
        self._fast = False

    def takes(self, word: str) -> bool:
        kind = self._number(word) if word.isdigit() else self._word(word)
        self._last = kind
        return bool(kind)

    def _number(self, word: str) -> str:
        if len(word) == 8 and word.startswith("20"):
            return self._dated(word, "date")
        if self._last == "version":
            return "revision" if word == "0" else ""  # of v1:0
        if self._last == "thinking":
            return "budget" if len(word) > 3 else ""
        if len(word) == 4 and word.startswith("20"):  # a date with dashes
            return self._dated(word, "year")
        if self._last in ("year", "month"):
            return self._go_on_with_date(word)
        if self._decorated or len(word) > 2 or (len(word) > 1 and word[0] == "0"):
            return ""
        (self._behind if self._family else self._before).append(int(word))
        return "number"

    def _dated(self, word: str, kind: str) -> str:
        if self._date:
            return ""
        self._date, self._decorated = word, True
        return kind

    def _go_on_with_date(self, word: str) -> str:
        self._date += word
        if len(word) != 2:
            return ""
        return "month" if self._last == "year" else "date"

    def _word(self, word: str) -> str:
        if self._last in ("year", "month"):
            return ""
        if word[:1] == "v" and word[1:].isdigit():
            return self._release(word)
        if word in _PLAIN or word in ("fast", "1m") or (word[-1:] == "k" and word[:-1].isdigit()):
            self._decorated = True
            self._fast |= word == "fast"
            return "thinking" if word in _THINKING else "mark"
        if self._family or self._decorated or not word.isalpha():
            return ""
        self._family = word
        return "family"

    def _release(self, word: str) -> str:
        """`v1` and so on behind a date or a version."""
        second = word == "v2" and self._family == "sonnet" and self._before == [3, 5]  # Vertex AI's second 3.5
        first = word == "v1" and bool(self._before)
        self._decorated = True
        return "version" if first or second or self._last in ("number", "date") else ""

    def model(self) -> Model | None:
        version = self._before or self._behind
        if not self._family or not 0 < len(version) < 3 or (self._before and self._behind):
            return None
        if self._last in ("year", "month"):
            return None
        key = self._family, version[0], version[1] if len(version) > 1 else 0
        return Model(key, self._date, self._fast)
