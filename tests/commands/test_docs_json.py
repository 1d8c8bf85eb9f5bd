"""docs/json.md and docs/session.schema.json describe exactly what the command prints."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Home
from lines import ID, OTHER, line

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "session.schema.json").read_text())
PAGE = (ROOT / "docs" / "json.md").read_text()
TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v),
}
KNOWN = {"$ref", "type", "properties", "required", "additionalProperties", "items", "pattern", "minimum", "anyOf"}
ABOUT = {"$schema", "$defs", "title", "description"}


def faults(value: Any, schema: dict[str, Any], place: str = "", of: dict[str, Any] = SCHEMA) -> Iterator[str]:
    """Yield where *value* violates *schema*, a part *of* a whole.

    This knows as much of JSON Schema as our files use, and fails on a keyword that it does not know.
    """
    assert schema.keys() <= KNOWN | ABOUT, schema.keys()
    if "$ref" in schema:
        yield from faults(value, of["$defs"][schema["$ref"].removeprefix("#/$defs/")], place, of)
        return
    if "anyOf" in schema and all(any(faults(value, one, place, of)) for one in schema["anyOf"]):
        yield f"{place}: none of the shapes"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        yield f"{place}: {value!r} is no {' or '.join(types)}"
    elif isinstance(value, dict):
        yield from (f"{place}.{name}: missing" for name in schema.get("required", []) if name not in value)
        for name, inner in value.items():
            if name in schema.get("properties", {}):
                yield from faults(inner, schema["properties"][name], f"{place}.{name}", of)
            elif schema.get("additionalProperties") is False:
                yield f"{place}.{name}: unknown"
            elif "additionalProperties" in schema:
                yield from faults(inner, schema["additionalProperties"], f"{place}.{name}", of)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from faults(inner, schema.get("items", {}), f"{place}[{number}]", of)
    elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{place}: {value!r} does not match"
    elif TYPES["number"](value) and value < schema.get("minimum", -math.inf):
        yield f"{place}: {value} is too small"


def output(home: Home, *args: str) -> Any:
    ran = home.run("session", "--json", *args)
    assert ran.err == ""
    return json.loads(ran.out)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home with every kind of session: plain, several models, titled, no response, no model, archived."""
    home = Home(tmp_path_factory.mktemp("home"))
    title = '{"type":"ai-title","aiTitle":"A \\"title\\" \\ud800"}\n{"type":"cost-state","totalCostUSD":0.5}\n'
    home.write(f"-home-me-proj/{ID}.jsonl", title + line() + line("m2", "r2", model="house-model", stop=None))
    home.write(f"-home-me-proj/{OTHER}.jsonl", line("n1", "q1", OTHER, at="2026-04-01T10:00:00.123456Z", model=""))
    home.write("-home-me-proj/empty.jsonl", '{"type":"user"}\n')
    gone = home.write("-home-me-old/gone.jsonl", line("g1", "g1", "gone", costUSD=-0.25))
    output(home)
    gone.unlink()
    return home


def test_the_list_and_every_session_are_as_the_schema_says(used: Home) -> None:
    listed = output(used)
    assert list(faults(listed, SCHEMA)) == []
    assert list(faults(listed, {"$ref": "#/$defs/list"})) == []
    assert len(listed["sessions"]) == 3
    for id in (*(row["sessionId"] for row in listed["sessions"]), "empty"):
        for args in ([], ["--entries"], ["--mode", "display"]):
            one = output(used, "--id", id, *args)
            assert list(faults(one, {"$ref": "#/$defs/session"})) == []
            assert ("entries" in one) == (args == ["--entries"])
    assert {row["sessionId"] for row in listed["sessions"] if row["archived"]} == {"gone"}


def test_no_data_and_an_unknown_session_are_as_the_schema_says(home: Home) -> None:
    assert list(faults(output(home), {"$ref": "#/$defs/list"})) == []
    ran = home.run("session", "--json", "--id", "nobody")
    assert ran.code == 3
    assert list(faults(json.loads(ran.out), SCHEMA)) == []


def test_real_transcripts_are_as_the_schema_says(home: Home, corpus: Path) -> None:
    for source in sorted((corpus / "client").iterdir())[:4]:
        shutil.copytree(source / "projects", home.projects, dirs_exist_ok=True)
    listed = output(home)
    assert listed["sessions"]
    assert list(faults(listed, {"$ref": "#/$defs/list"})) == []


SPOILT: list[tuple[str, Any]] = [
    ("sessionId", 7),
    ("inputTokens", -1),
    ("outputTokens", 1.5),
    ("totalTokens", None),
    ("totalCost", "free"),
    ("totalCost", float("nan")),
    ("lastActivity", "2026-5-1"),
    ("lastActivityAt", "2026-05-01T10:00:00Z"),
    ("modelsUsed", ["x", None]),
    ("modelBreakdowns", [{}]),
    ("archived", 1),
    ("more", 1),
]


def test_the_schema_refuses_what_is_not_so(used: Home) -> None:
    one = output(used, "--id", ID)
    session = {"$ref": "#/$defs/session"}
    assert list(faults(one, session)) == []
    for key, value in SPOILT:
        assert list(faults({**one, key: value}, session)), key
        without = {name: each for name, each in one.items() if name != key}
        assert key == "more" or list(faults(without, session)) == [f".{key}: missing"]


@pytest.mark.parametrize(
    ("heading", "shape"),
    [
        ("The list", "list"),
        ("A session", "session"),
        ("One of `modelBreakdowns`", "breakdown"),
        ("One of `entries`", "entry"),
    ],
)
def test_the_page_explains_every_key_in_the_order_it_is_printed(heading: str, shape: str) -> None:
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(SCHEMA["$defs"][shape]["properties"])


def test_the_examples_of_the_page_run(used: Home) -> None:
    commands = re.findall(r"^\$ ccusage (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        ran = used.run(*shlex.split(command))
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.strip()


def test_keys_are_printed_in_the_order_of_the_schema(used: Home) -> None:
    one = output(used, "--id", ID, "--entries")
    assert list(one) == list(SCHEMA["$defs"]["session"]["properties"])
    assert list(one["entries"][0]) == list(SCHEMA["$defs"]["entry"]["properties"])
    assert list(one["modelBreakdowns"][0]) == list(SCHEMA["$defs"]["breakdown"]["properties"])
