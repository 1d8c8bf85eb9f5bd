"""The bundled sample, and what a report of it must say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from ccusage_line import demo
from ccusage_line.index.index import Index
from ccusage_line.session import Session


class Expected(NamedTuple):
    """What a report of one sample session must say; `cost` is in 1e-6 dollars, at list prices."""

    project_path: str
    title: str
    models: tuple[str, ...]
    tokens: tuple[int, int, int, int]  # input, output, cache creation, cache read
    cost: int
    incomplete: int = 0
    unpriced: tuple[str, ...] = ()


_OPUS, _SONNET, _HAIKU = "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"
_HOUSE = "in-house-coder-2"

SAMPLE = {
    # The parent of the fork: four Opus responses, two of a subagent, one of each of two workflow agents.
    "5f0c9a1e-7b42-4c1d-9e57-2a64d0b8c311": Expected(
        "/home/ada/webshop", "VAT rounded twice at checkout", (_HAIKU, _OPUS), (3_685, 2_542, 30_000, 78_600), 249_295
    ),
    # The fork: only its own two responses, none of those that it copied.
    "c7d2e4f6-1a3b-4c5d-8e9f-70a1b2c3d4e5": Expected(
        "/home/ada/webshop", "release note", (_OPUS, _SONNET), (24_020, 740, 0, 23_000), 99_700
    ),
    # An older client: three responses, one never finalised, cache writes for an hour at twice the input price.
    "0b1d2f3a-4c5e-4f60-9a7b-8c9d0e1f2a3b": Expected(
        "/home/ada/notes app", "Sync notes over WebDAV", (_SONNET,), (35, 4_221, 35_600, 66_600), 297_000, incomplete=1
    ),
    # 5,400 + 640 of these tokens have no price.
    "9e8d7c6b-5a49-4838-a726-150413f2e1d0": Expected(
        "/home/ada/infra",
        "Hosts with the old kernel",
        (_HAIKU, _HOUSE),
        (11_500, 950, 1_200, 900),
        9_240,
        unpriced=(_HOUSE,),
    ),
    # An API error without a model and tokens, then one response of each model.
    "3c2b1a09-f8e7-4d6c-b5a4-93827160f5e4": Expected(
        "/home/ada/infra", "Slow backup 🐢", (_OPUS, _SONNET), (4_510, 3_470, 25_500, 4_000), 214_305
    ),
}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    folder = tmp_path_factory.mktemp("demo")
    config = demo.materialize(folder / "config")
    index = Index(str(folder / "state"), [str(config / "projects")])
    try:
        index.refresh()
        return {session.id: session for session in index.sessions("calculate")}
    finally:
        index.close()


def test_the_sample_holds_the_sessions_it_says_and_no_other(sessions):
    assert sessions.keys() == SAMPLE.keys()


@pytest.mark.parametrize("id", SAMPLE)
def test_each_sample_session_counts_as_computed_by_hand(sessions, id):
    s = sessions[id]
    assert (
        Expected(
            s.project_path or "",
            s.title or "",
            tuple(sorted(m.name for m in s.models if m.name)),
            (s.input, s.output, s.cache_creation, s.cache_read),
            s.cost / 10**6,
            s.incomplete,
            tuple(s.unpriced_models),
        )
        == SAMPLE[id]
    )


def test_the_sample_is_small_and_whole_lines_of_json():
    files = [path for path in demo.SOURCE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60_000
    for path in files:
        if path.suffix == ".jsonl":
            data = path.read_bytes()
            assert data.endswith(b"\n"), path
            assert all(isinstance(json.loads(line), dict) for line in data.splitlines()), path


def test_the_sample_holds_what_makes_counting_hard():
    text = {path.name: path.read_text("utf-8") for path in demo.SOURCE.rglob("*.jsonl")}
    whole = "".join(text.values())
    assert '"requestSessionId"' in whole, "a fork"
    assert '"toolUseResult"' in whole, "a usage that is not a response"
    assert '"<synthetic>"' in whole, "an error that is no response"
    assert '"stop_reason":null' in whole, "a placeholder"
    assert '"usage"' in text["journal.jsonl"], "a journal that looks like a transcript"
    nested = demo.SOURCE.rglob("subagents/workflows/*/agent-*.jsonl")
    assert len(list(nested)) == 2, "subagents of a workflow"


def test_the_sample_can_be_laid_out_as_a_data_directory_repeatedly(tmp_path: Path):
    target = tmp_path / "not" / "there" / "yet"
    assert demo.materialize(target) == target
    demo.materialize(target)
    laid_out = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert laid_out == {path.relative_to(demo.SOURCE) for path in demo.SOURCE.rglob("*") if path.is_file()}
    assert {path.parts[0] for path in laid_out} == {"projects"}
