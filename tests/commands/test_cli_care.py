"""The commands around the report: prices, config, doctor, --explain, install, and what the report says of prices."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from conftest import SHARED, Home
from lines import ID, line

NEW = "claude-novel-9"
SCENARIOS = sorted((SHARED / "corpus" / "client").glob("*")) if SHARED.is_dir() else []


def listed(*names: str) -> bytes:
    """A price list as LiteLLM has it: enough known models to be believed, and the named ones."""
    from ccusage_line.prices.embedded import CURRENT

    known = [name for name in CURRENT if name.startswith("claude-")]
    table = {}
    for name in [*known, *names]:
        entry = CURRENT.get(name)
        five = [rate / 1e15 for rate in entry[:5]] if entry else [1e-06, 5e-06, 1.25e-06, 2e-06, 1e-07]
        table[name] = {
            "input_cost_per_token": five[0],
            "output_cost_per_token": five[1],
            "cache_creation_input_token_cost": five[2],
            "cache_read_input_token_cost": five[4],
            "litellm_provider": "anthropic",
            "mode": "chat",
        }
    return json.dumps(table).encode()


@pytest.fixture
def prices_at() -> Iterator[str]:
    """A real HTTP server on loopback with a list that names one new model."""
    body = listed(NEW)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/prices.json"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_new_model_is_priced_at_once_after_a_refresh(home: Home, prices_at: str) -> None:
    home.write(f"p/{ID}.jsonl", line(model=NEW))
    alone = ("session", "--id", ID, "--jq", ".totalCost")
    assert home.run("session", "--jq", ".totals.totalCost").out == "0.0\n"
    assert float(home.run(*alone).out) == 0
    env = {"CCUSAGE_OFFLINE": "", "CCUSAGE_PRICES_URL": prices_at}
    ran = home.run("prices", "refresh", **env)
    assert (ran.code, ran.err) == (0, "")
    assert float(home.run(*alone).out) == pytest.approx(0.00051)
    assert float(home.run("session", "--jq", ".totals.totalCost").out) == pytest.approx(0.00051)
    shown = home.run("statusline", "--format", "{session_cost}", input=json.dumps({"session_id": ID}))
    assert "+?" not in shown.out
    assert NEW in home.run("prices", "show", NEW).out


def test_the_report_refreshes_an_old_table_by_itself_and_offline_never(home: Home, prices_at: str) -> None:
    home.write(f"p/{ID}.jsonl", line(model=NEW))
    env = {"CCUSAGE_OFFLINE": "", "CCUSAGE_PRICES_URL": prices_at}
    cost = ("session", "--jq", ".totals.totalCost")
    assert float(home.run(*cost, "--offline", **env).out) == 0
    assert float(home.run(*cost, **env).out) == pytest.approx(0.00051)


def test_a_dead_price_server_is_one_warning(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line())
    ran = home.run("session", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/none")
    assert ran.code == 0
    assert "$0.00" in ran.out
    assert ran.err.count("\n") == 1
    assert home.run("session", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/none").err == ""


@pytest.mark.parametrize("args", [["session", "--id", ID, "--json"], ["session", "--id", ID], ["statusline"]])
def test_what_is_asked_all_day_never_asks_the_network(home: Home, prices_at: str, args: list[str]) -> None:
    home.write(f"p/{ID}.jsonl", line(model=NEW))
    ran = home.run(*args, input=json.dumps({"session_id": ID}), CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL=prices_at)
    assert ran.code == 0
    assert not list(home.state.glob("prices*"))


def test_config_sets_defaults_and_the_command_line_overrules_it(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(costUSD=1.5))
    config = Path(home.run("config", "path").out.strip())
    config.parent.mkdir(parents=True)
    config.write_text('[session]\nmode = "calculate"\nbreakdown = true\n')
    cost = ("session", "--id", ID, "--jq", ".totalCost")
    assert home.run(*cost).out == "0.00255\n"
    assert home.run(*cost, "--mode", "display").out == "1.5\n"
    assert "└─ opus" in home.run("session").out
    assert "└─ opus" not in home.run("session", "--no-breakdown").out
    other = home.path / "other.toml"
    other.write_text('[session]\nmode = "display"\n')
    assert home.run("--config", str(other), *cost).out == "1.5\n"
    assert "calculate" in home.run("config", "show").out


def test_a_wrong_config_is_one_line_that_names_place_and_spelling(home: Home) -> None:
    config = Path(home.run("config", "path").out.strip())
    config.parent.mkdir(parents=True)
    config.write_text('[session]\nmodee = "calculate"\n')
    ran = home.run("session")
    assert (ran.code, ran.out) == (2, "")
    assert "mode" in ran.err
    assert str(config) in ran.err
    assert home.run("statusline", input="{}").code == 0
    assert home.run("config", "path").code == 0


def test_doctor_names_what_needs_doing(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(model="house-model-1"))
    home.run("session")
    ran = home.run("doctor")
    assert ran.code in (0, 1)
    assert "house-model-1" in ran.out
    found = json.loads(home.run("doctor", "--json").out)
    assert found


@pytest.mark.parametrize("source", SCENARIOS, ids=lambda path: path.name)
def test_explain_adds_up_on_every_scenario_of_the_client(home: Home, source: Path) -> None:
    shutil.copytree(source / "projects", home.projects, dirs_exist_ok=True)
    for row in json.loads(home.run("session", "--json").out)["sessions"]:
        ran = home.run("session", "--id", row["sessionId"], "--explain", "--json")
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        text = home.run("session", "--id", row["sessionId"], "--explain")
        assert (text.code, text.err) == (0, "")
        if row["clientCost"] is not None:
            parts = sum(part["amount"] for part in told["parts"])
            assert parts + told["notExplained"] == pytest.approx(told["difference"], abs=1e-9)
            assert told["notExplained"] == pytest.approx(0, abs=1e-9)


def test_install_and_uninstall_leave_the_settings_as_they_were(home: Home) -> None:
    settings = home.data / "settings.json"
    settings.write_text('{\n    "model": "opus"\n}\n')
    before = settings.read_bytes()
    assert "statusLine" in home.run("install", "--dry-run").out
    assert settings.read_bytes() == before
    assert home.run("install", "--", "--format", "{model}").code == 0
    assert "statusline" in json.loads(settings.read_text())["statusLine"]["command"]
    assert home.run("uninstall").code == 0
    assert settings.read_bytes() == before
    refused = home.run("install", "--", "--nonsense")
    assert (refused.code, refused.out) == (2, "")


def test_the_index_is_verified_rebuilt_and_forgets(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line())
    gone = home.write("p/gone.jsonl", line("m2", "r2", "gone"))
    home.run("session")
    gone.unlink()
    assert home.run("index", "verify").code == 0
    assert home.run("index", "rebuild").code == 0
    assert home.run("session", "--id", "gone", "--jq", ".archived").out == "true\n"
    refused = home.run("index", "forget")
    assert (refused.code, refused.out) == (2, "")
    assert home.run("index", "forget", "--archived").out == "forgot gone\n"
    assert home.run("session", "--id", "gone", "--json").code == 3
    assert home.run("index", "verify").code == 0


def test_a_wrong_sum_in_the_index_is_named(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line())
    home.run("session")
    database = next(home.state.glob("*/index.db"))
    connection = sqlite3.connect(database)
    connection.execute("UPDATE totals SET output = output + 1")
    connection.commit()
    connection.close()
    ran = home.run("index", "verify")
    assert ran.code == 1
    assert ID in ran.out
    assert home.run("index", "rebuild").code == 0
    assert home.run("index", "verify").code == 0


def test_costs_beyond_all_floats_are_still_json(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(costUSD=1.7e308) + line("m2", "r2", costUSD=1.7e308))
    ran = home.run("session", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["totals"]["totalCost"] == pytest.approx(1.7976931348623157e308)
    assert home.run("session").code == 0
    assert home.run("session", "--id", ID).code == 0
