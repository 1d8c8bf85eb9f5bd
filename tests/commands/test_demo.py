"""The bundled sample and what a report of it has to say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccusage_line import demo
from ccusage_line.index.index import Index
from ccusage_line.session import Session


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
    assert sessions.keys() == demo.SAMPLE.keys()


@pytest.mark.parametrize("id", demo.SAMPLE)
def test_each_sample_session_counts_as_computed_by_hand(sessions, id):
    s = sessions[id]
    assert (
        demo.Expected(
            s.project_path or "",
            s.title or "",
            tuple(sorted(m.name for m in s.models if m.name)),
            s.input,
            s.output,
            s.cache_creation,
            s.cache_read,
            s.cost,
            s.incomplete,
            tuple(s.unpriced_models),
        )
        == demo.SAMPLE[id]
    )


def test_the_sample_costs_eighty_seven_cents_in_all(sessions):
    assert sum(s.cost for s in sessions.values()) == 869_540_000_000
    assert sum(e.cost for e in demo.SAMPLE.values()) == 869_540_000_000


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


def test_it_is_laid_out_as_a_data_directory_again_and_again(tmp_path: Path):
    target = tmp_path / "not" / "there" / "yet"
    assert demo.materialize(target) == target
    demo.materialize(target)
    laid_out = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert laid_out == {path.relative_to(demo.SOURCE) for path in demo.SOURCE.rglob("*") if path.is_file()}
    assert {path.parts[0] for path in laid_out} == {"projects"}
