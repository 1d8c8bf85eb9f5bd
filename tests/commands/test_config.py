"""The config file: what it may hold, the message if it holds anything else, and what overrides it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccusage_line import config
from ccusage_line.commands.config import run_show
from ccusage_line.commands.console import Console
from ccusage_line.config import PRICE, ConfigError, load
from ccusage_line.index.index import Index
from ccusage_line.options import SECTIONS
from ccusage_line.paths import state_dir
from ccusage_line.prices import in_use, stored
from ccusage_line.prices import table as prices
from ccusage_line.prices.stored import config_path, dependencies, has_default_mode_and_zone, stored_config
from ccusage_line.statusline.command import config_options
from conftest import ROOT
from lines import line, usage
from processes import bare_python


@pytest.fixture(autouse=True)
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the environment of a user without a config file, and return it."""
    found = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "CCUSAGE_STATE_DIR": str(tmp_path / "state"),
        "CCUSAGE_MANAGED_SETTINGS": str(tmp_path / "policy" / "managed-settings.json"),
    }
    for name in ("CCUSAGE_CONFIG", "CCUSAGE_OFFLINE", "CCUSAGE_PRICES_URL", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def write(environ: dict[str, str], text: str) -> Path:
    """Write a config file to its usual place and return its path."""
    path = Path(environ["XDG_CONFIG_HOME"], "ccusage-line", "config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


FULL = """\
[session]
mode = "calculate"
timezone = "Europe/Berlin"
order = "asc"
breakdown = true
compact = false
color = "never"
offline = true

[daily]
chart = "heat"

[weekly]
start-of-week = "monday"

[monthly]
order = "desc"

[blocks]
breakdown = true

[live]
refresh-interval = 5

[statusline]
cost-source = "both"
context-low-threshold = 40
format = "{model} [{branch}]"

[prices]
url = "https://prices.example/list.json"

[prices.models."My-Gateway/Opus"]
input = 4.5
output = 22

[labels]
"my-gateway/opus" = "opus (work)"

[project-labels]
"/home/me/work" = "Work"
"""
# A config with texts that have to be escaped and are longer than a message would show.
STRANGE = r"""
[statusline]
format = "{model} \"said\" C:\\work \n{session_cost} \u202e\U000e0041 [{branch} of {repo}] {context_bar}"

[labels]
"a \"model\" \\" = "\u0007 日本"
"""


# --- what it says ---


def test_without_a_config_file_there_are_no_settings(environ: dict[str, str]) -> None:
    found = load(environ)
    assert (found.exists, found.values, found.labels, found.prices, found.url) == (False, {}, {}, {}, None)
    assert found.defaults_for("session", environ) == {}
    assert config_options(found.values) == []
    assert not os.path.exists(environ["CCUSAGE_STATE_DIR"])


def test_options_become_the_defaults_of_argparse(environ: dict[str, str]) -> None:
    write(environ, FULL)
    found = load(environ)
    assert found.defaults_for("session", environ) == {
        "mode": "calculate",
        "timezone": "Europe/Berlin",
        "order": "asc",
        "breakdown": True,
        "compact": False,
        "color": "never",
        "offline": True,
    }
    assert found.defaults_for("statusline", environ)["cost_source"] == "both"
    assert (found.url, found.defaults_for("prices", environ)) == ("https://prices.example/list.json", {})
    assert found.defaults_for("index", environ) == {}
    assert found.labels == {"my-gateway/opus": "opus (work)"}


def test_options_become_those_of_the_statusline_which_reads_them_itself(environ: dict[str, str]) -> None:
    write(environ, FULL)
    assert config_options(load(environ).values) == [
        "--cost-source=both",
        "--context-low-threshold=40",
        "--format={model} [{branch}]",
    ]


@pytest.mark.parametrize(
    "text", ["", "\n# nothing\n", "[session]\n", "\ufeff[session]\norder = 'asc'\n", "[session]\r\norder = 'asc'\r\n"]
)
def test_a_file_may_say_nothing_or_have_other_line_ends(environ: dict[str, str], text: str) -> None:
    path = write(environ, "")
    path.write_bytes(text.encode())
    found = load(environ)
    assert found.exists
    assert found.defaults_for("session", environ) == ({"order": "asc"} if "order" in text else {})


def test_a_zone_is_kept_as_iana_spells_it_and_local_is_the_default(environ: dict[str, str]) -> None:
    write(environ, "[daily]\ntimezone = 'europe/berlin'\n[statusline]\ntimezone = 'Local'\nmode = 'auto'\n")
    assert load(environ).values == {"daily": {"timezone": "Europe/Berlin"}, "statusline": {"mode": "auto"}}


# --- what overrides what ---


@pytest.mark.parametrize(
    ("variable", "value", "key", "expected"),
    [
        pytest.param("CCUSAGE_OFFLINE", "0", "offline", False, id="online-after-all"),
        pytest.param("CCUSAGE_OFFLINE", "1", "offline", True, id="offline"),
        pytest.param("CCUSAGE_OFFLINE", "", "offline", True, id="an-empty-variable-says-nothing"),
        pytest.param("NO_COLOR", "1", "color", "auto", id="no-color"),
        pytest.param("FORCE_COLOR", "1", "color", "auto", id="force-color"),
    ],
)
def test_the_environment_goes_before_the_file(
    environ: dict[str, str], variable: str, value: str, key: str, expected: object
) -> None:
    write(environ, FULL)
    assert load(environ).defaults_for("session", {**environ, variable: value})[key] == expected


def test_the_variable_goes_before_the_usual_place(environ: dict[str, str], tmp_path: Path) -> None:
    write(environ, "[session]\norder = 'asc'\n")
    second = tmp_path / "second.toml"
    second.write_text("[session]\nmode = 'display'\n")
    named = {**environ, "CCUSAGE_CONFIG": str(second)}
    assert load(environ).defaults_for("session", environ) == {"order": "asc"}
    assert load(named).defaults_for("session", named) == {"mode": "display"}
    assert config_path(named) == str(second)


def test_a_file_that_was_named_has_to_be_there(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml can't be read: no such file"):
        load({**environ, "CCUSAGE_CONFIG": str(tmp_path / "no.toml")})


def test_a_folder_in_the_place_of_the_config_is_an_error(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a regular file"):
        load({**environ, "CCUSAGE_CONFIG": str(tmp_path)})


# --- what is wrong ---

WRONG = [
    pytest.param(
        "[session]\n\ntimzone = 'UTC'\n",
        3,
        'unknown key in [session]: "timzone", did you mean timezone?',
        id="misspelt",
    ),
    pytest.param("[statusline]\ncost_source = 'cc'\n", 2, "did you mean cost-source?", id="underscore"),
    pytest.param("[statusline]\nlook = 'nice'\n", 2, "expected one of mode, timezone, cost-source", id="far-from-any"),
    pytest.param("# hi\n[sesion]\n", 2, 'unknown section "sesion", did you mean session?', id="section"),
    pytest.param("mode = 'auto'\n", 1, 'unknown key "mode"', id="key-outside-sections"),
    pytest.param("session = 3\n", 1, "session is a section: write [session]", id="section-as-key"),
    pytest.param("[session]\nmode = 'fast'\n", 2, 'mode = "fast" has to be one of auto, calculate', id="choice"),
    pytest.param("[session]\norder = 'DESC'\n", 2, "did you mean desc?", id="choice-in-capitals"),
    pytest.param("[session]\nmode = 1\n", 2, "mode = 1 has to be one of auto, calculate", id="number-for-choice"),
    pytest.param("[session]\nbreakdown = 'yes'\n", 2, 'breakdown = "yes" has to be true or false', id="text-for-flag"),
    pytest.param("[session]\nbreakdown = 1\n", 2, "true or false", id="number-for-flag"),
    pytest.param("[session]\ntimezone = 'Mars/Olympus'\n", 2, "a zone like Europe/Berlin", id="zone"),
    pytest.param("[session]\ntimezone = '../../etc/passwd'\n", 2, "a zone like Europe/Berlin", id="zone-with-a-path"),
    pytest.param("[statusline]\ncontext-low-threshold = 101\n", 2, "a whole number from 0 to 100", id="percentage"),
    pytest.param("[statusline]\ncontext-low-threshold = true\n", 2, "a whole number", id="flag-for-percentage"),
    pytest.param("[statusline]\ncontext-low-threshold = 90\n", 2, "has to be below", id="thresholds"),
    pytest.param("[prices]\nurl = 'ftp://x'\n", 2, "an https address", id="address"),
    pytest.param("[prices]\nmodels = 3\n", 2, "prices.models is a section", id="models-no-table"),
    pytest.param("[prices.models]\nx = 3\n", 2, 'the price of "x" has to be a table', id="price-no-table"),
    pytest.param("[prices.models.x]\ninput = 3\n", 1, 'the price of "x" lacks output', id="no-output"),
    pytest.param("[prices.models.x]\ninput = 3\noutput = 'dear'\n", 3, '"dear" has to be a number', id="price-text"),
    pytest.param("[prices.models.x]\ninput = -1\noutput = 1\n", 2, "dollars per million tokens", id="price-below-0"),
    pytest.param("[prices.models.x]\ninput = nan\noutput = 1\n", 2, "input = NaN has to be a number", id="price-nan"),
    pytest.param("[prices.models.x]\ninput = 1\noutput = inf\n", 3, "a number", id="price-without-end"),
    pytest.param("[prices.models.x]\ninput = 50_001\noutput = 1\n", 2, "up to 50,000", id="write-beyond-the-dearest"),
    pytest.param("[prices.models.x]\ninput = 1e9999999999999999999\noutput = 1\n", 2, "a number", id="price-no-number"),
    pytest.param(f"[prices.models.x]\ninput = 0x{'f' * 4000}\noutput = 1\n", 2, "... has to be a", id="endless-digits"),
    pytest.param("[prices.models.x]\ninput = 1\noutput = 1\nfast = 0\n", 4, "a factor from 0.001", id="factor"),
    pytest.param("[prices.models.x]\ninput = 1\noutput = 1\nfast = 1e-4\n", 4, "a factor from", id="factor-like-0"),
    pytest.param(
        f"[prices.models.x]\ninput = 1\noutput = 1\nfast = 20.{'0' * 20}1\n", 1, "not a factor", id="a-bit-more"
    ),
    pytest.param("[prices.models.x]\ninput = 1\noutput = 1\ncontext-window = 1.5\n", 4, "a whole number", id="window"),
    pytest.param(
        "[prices.models.x]\ninput = 1\noutput = 1\ncache_read = 1\n", 4, "did you mean cache-read?", id="price-key"
    ),
    pytest.param("[labels]\nx = ''\n", 2, 'the label of "x"', id="empty-label"),
    pytest.param("[labels]\nx = 3\n", 2, 'the label of "x"', id="label-number"),
    pytest.param("[session]\nmode = \n", 2, "invalid value", id="no-toml"),
    pytest.param("[session\n", 1, "expected", id="open-bracket"),
    pytest.param("[session]\nmode = 'auto'\nmode = 'auto'\n", 3, "cannot overwrite a value", id="twice"),
    pytest.param("[session]\nmode = '''auto\n\n", 3, "", id="ends-too-early"),
    pytest.param(
        "[statusline]\nformat = '''\n{model}\n'''\n\nx = 1\n",
        6,
        'unknown key in [statusline]: "x"',
        id="behind-many-lines",
    ),
    pytest.param("[statusline]\nformat = ['''\na''',\n'b']\n", 2, "a string in quotes", id="a-value-of-many-lines"),
]


@pytest.mark.parametrize(("text", "line", "message"), WRONG)
def test_a_mistake_in_the_config_is_reported_with_file_and_line(
    environ: dict[str, str], text: str, line: int, message: str
) -> None:
    path = write(environ, text)
    with pytest.raises(ConfigError) as raised:
        load(environ)
    assert raised.value.exit_code == 2
    told = str(raised.value)
    assert told.lower().startswith(f"{path}:{line}: ".lower())
    assert message in told
    assert "\n" not in told


def test_the_line_of_a_mistake_is_found_in_about_one_reading(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"[prices.models.x{number}]\ninput = 1\noutput = 1\n" for number in range(200)) + "inputs = 1\n"
    write(environ, text)
    read: list[str] = []
    monkeypatch.setattr(config, "_loads", lambda text, loads=config._loads: (read.append(text), loads(text))[1])
    with pytest.raises(ConfigError, match=r"config\.toml:601: .*did you mean input\?"):
        load(environ)
    assert sum(map(len, read)) < 5 * len(text)


def test_what_is_not_utf8_is_told_with_its_line(environ: dict[str, str]) -> None:
    path = write(environ, "")
    path.write_bytes(b"[session]\nmode = '\xff'\n")
    with pytest.raises(ConfigError, match=r"config\.toml:2: not UTF-8"):
        load(environ)


def test_a_file_without_end_is_not_read(environ: dict[str, str]) -> None:
    path = write(environ, "")
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="larger than 1,024 KB"):
        load(environ)


def test_a_wrong_file_is_not_settled_and_stays_an_error(environ: dict[str, str]) -> None:
    write(environ, "[session]\nx = 1\n")
    for _ in range(2):
        with pytest.raises(ConfigError):
            load(environ)
        assert stored_config(environ) is None


# --- own prices ---


def priced(environ: dict[str, str], text: str, model: str) -> prices.Price | None:
    write(environ, text)
    load(environ)
    return in_use.table().find(model)


def test_an_own_price_is_exact_and_completed_as_the_lists_are(environ: dict[str, str]) -> None:
    price = priced(environ, "[prices.models.'my/model']\ninput = 4.1\noutput = 20\n", "My/Model")
    assert (price.input, price.output, price.write_5m, price.write_1h, price.read) == (
        4_100_000_000,
        20_000_000_000,
        5_125_000_000,
        8_200_000_000,
        410_000_000,
    )
    assert (price.threshold, price.fast, price.us, price.window) == (None, 1000, 1000, None)


def test_the_highest_price_that_a_config_may_have_is_accepted(environ: dict[str, str]) -> None:
    price = priced(environ, "[prices.models.x]\ninput = 50_000\noutput = 1e-9999999999999999999\n", "x")
    assert (price.write_1h, price.output) == (prices.UNIT // 10, 0)


def test_every_key_of_an_own_price_is_taken(environ: dict[str, str]) -> None:
    text = """
    [prices.models."glm-99"]
    input = 1
    output = 2
    cache-write-5m = 3
    cache-write-1h = 4
    cache-read = 0
    fast = 2.5
    us = 1.1
    context-window = 128000
    """
    price = priced(environ, text, "zai/glm-99")
    assert (price.write_5m, price.write_1h, price.read) == (3_000_000_000, 4_000_000_000, 0)
    assert (price.fast, price.us, price.window) == (2500, 1100, 128_000)


def test_own_prices_have_a_fingerprint_of_their_own(environ: dict[str, str]) -> None:
    plain = in_use.table().fingerprint
    seen = {plain}
    for price in (1, 2):
        write(environ, f"[prices.models.x]\ninput = {price}\noutput = 1\n# {'.' * price}\n")
        load(environ)
        seen.add(in_use.table().fingerprint)
    assert len(seen) == 3
    os.unlink(config_path(environ))
    load(environ)
    assert in_use.table().fingerprint == plain


def test_own_prices_apply_if_nothing_can_be_stored(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    price = priced(environ, "[prices.models.x]\ninput = 1\noutput = 1\n", "x")
    assert price is not None
    assert stored_config(environ) is None


def test_another_process_with_another_config_does_not_change_ours(environ: dict[str, str], tmp_path: Path) -> None:
    write(environ, "[prices.models.x]\ninput = 1\noutput = 1\n")
    load(environ)
    other = tmp_path / "other.toml"
    other.write_text("")
    code = "import os; from ccusage_line.config import load; load(os.environ)"
    elsewhere = {**environ, "CCUSAGE_CONFIG": str(other), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=elsewhere, check=True)
    assert stored.StoredConfig.load(environ["CCUSAGE_STATE_DIR"]).prices == {}
    assert in_use.table().find("x") is not None


def test_an_index_counts_anew_with_own_prices(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "-p"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_text(line(model="x", tokens=usage(1_000_000, 0)))

    def cost() -> int:
        index = Index(str(tmp_path / "index"), [str(tmp_path / "projects")])
        index.refresh()
        (session,) = index.sessions()
        index.close()
        return sum(model.cost for model in session.models)

    assert cost() == 0
    write(environ, "[prices.models.x]\ninput = 3\noutput = 1\n")
    load(environ)
    assert cost() == 3 * prices.PICO
    os.unlink(config_path(environ))
    load(environ)
    assert cost() == 0


# --- those that do not read it ---


def settle(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the config as if its last change were long ago."""
    monkeypatch.setattr(config, "_TICK", -(10**18))
    load(environ)


def test_the_settled_config_equals_the_config_that_was_read(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(environ, FULL)
    assert stored_config(environ) is None
    settle(environ, monkeypatch)
    found = stored_config(environ)
    assert (found.values, found.labels, found.prices) == (
        load(environ).values,
        load(environ).labels,
        load(environ).prices,
    )


def test_without_a_file_everything_is_settled(environ: dict[str, str]) -> None:
    found = stored_config(environ)
    assert (found.values, found.prices) == ({}, {})


@pytest.mark.parametrize("change", ["edited", "gone", "another", "another-version"])
def test_a_changed_config_is_read_again(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = write(environ, FULL)
    settle(environ, monkeypatch)
    assert stored_config(environ) is not None
    asked = dict(environ)
    if change == "edited":
        path.write_text(FULL.replace("asc", "desc"))
    elif change == "gone":
        path.unlink()
    elif change == "another":
        other = tmp_path / "other.toml"
        other.write_text("")
        asked["CCUSAGE_CONFIG"] = str(other)
    else:
        monkeypatch.setattr("ccusage_line.__version__", "99")
    assert stored_config(asked) is None
    load(asked)
    assert stored_config(asked) is not None


def test_a_file_changed_just_now_is_read_again_each_time(environ: dict[str, str]) -> None:
    path = write(environ, "[session]\norder = 'asc'\n")
    load(environ)
    assert stored_config(environ) is None
    stat = path.stat()
    with open(path, "r+") as file:
        file.write("[session]\nmode = 'auto'")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert load(environ).values["session"].keys() == {"mode"}


def test_a_settled_file_is_not_read_again(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    write(environ, FULL)
    settle(environ, monkeypatch)
    monkeypatch.setattr(config, "read", None)
    assert load(environ).defaults_for("session", environ)["order"] == "asc"


def test_asking_whether_it_is_settled_imports_no_package(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(environ, FULL)
    settle(environ, monkeypatch)
    code = """
import os
from ccusage_line.prices import stored
print(stored.stored_config(os.environ).values["session"]["order"], stored.has_default_mode_and_zone(os.environ))
print(*sorted(set(sys.modules) & {"json", "re", "tomllib", "typing", "platformdirs", "ccusage_line.config"}))
"""
    assert bare_python(code, environ) == "asc False\n\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("[session]\norder = 'asc'\n", True, id="an-order"),
        pytest.param("[statusline]\nmode = 'display'\n", True, id="another-commands-mode"),
        pytest.param("[session]\nmode = 'auto'\n", False, id="a-mode"),
        pytest.param("[session]\ntimezone = 'UTC'\n", False, id="a-zone"),
    ],
)
def test_a_config_is_plain_if_it_changes_no_cost_and_no_day(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, text: str, plain: bool
) -> None:
    assert has_default_mode_and_zone(environ)
    write(environ, text)
    assert not has_default_mode_and_zone(environ)
    settle(environ, monkeypatch)
    assert has_default_mode_and_zone(environ) is plain


def test_answers_depend_on_the_price_list_the_config_and_the_policy(environ: dict[str, str], tmp_path: Path) -> None:
    table, config_file = stored.Refreshed.path(state_dir(environ)), config_path(environ)
    policy = (str(tmp_path / "policy"), None)
    assert dependencies(environ) == [(table, None), (config_file, None), policy]
    write(environ, "")
    stat = os.stat(config_file)
    told = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    assert dependencies(environ) == [(table, None), (config_file, told), policy]


def test_the_usual_place_is_that_of_platformdirs(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs import user_config_dir

    assert config_path(environ) == os.path.join(user_config_dir("ccusage-line", appauthor=False), "config.toml")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    home = {"HOME": environ["HOME"]}
    assert config_path(home) == os.path.join(user_config_dir("ccusage-line", appauthor=False), "config.toml")


# --- show and the reference ---


@pytest.fixture
def show(capfd: pytest.CaptureFixture[str]) -> Callable[[dict[str, str]], str]:
    """Return a function that returns what `config show` prints in an environment."""

    def show(environ: dict[str, str]) -> str:
        run_show(Console(environ, load(environ)))
        return capfd.readouterr().out

    return show


def test_show_says_each_value_and_where_it_comes_from(
    environ: dict[str, str], show: Callable[[dict[str, str]], str]
) -> None:
    path = write(environ, FULL)
    text = show({**environ, "CCUSAGE_OFFLINE": "0"})
    assert text.startswith(f"# {path}\n")
    for row in (
        'order = "asc"',
        "offline = false  # from CCUSAGE_OFFLINE",
        '# visual-burn-rate = "off"',
        "# pager = true",
        "# timezone: the system's",
        '[prices.models."my-gateway/opus"]',
        "input = 4.5",
        "cache-write-5m = 5.625",
        '"my-gateway/opus" = "opus (work)"',
    ):
        assert row in text.splitlines()


@pytest.mark.parametrize("text", [FULL, STRANGE], ids=["full", "strange"])
def test_what_show_prints_is_a_config_that_says_the_same(
    environ: dict[str, str], tmp_path: Path, show: Callable[[dict[str, str]], str], text: str
) -> None:
    write(environ, text)
    first = load(environ)
    again = tmp_path / "again.toml"
    again.write_text(show(environ))
    second = load({**environ, "CCUSAGE_CONFIG": str(again)})
    said = {section: values for section, values in second.values.items() if values or section in first.values}
    assert (said, second.labels, second.prices) == (first.values, first.labels, first.prices)


def test_show_without_a_file_says_so(environ: dict[str, str], show: Callable[[dict[str, str]], str]) -> None:
    text = show(environ)
    assert text.splitlines()[0].endswith("config.toml (does not exist)")
    assert all(not line or line[0] in "#[" for line in text.splitlines())


WORDS = {
    "flag": "`true` or `false`",
    "text": "a string",
    "zone": '`local` or an IANA name like "Europe/Berlin"',
    "day": "`today` `yesterday` `7d` `2w` or YYYY-MM-DD",
    "seconds": "1 to 60",
    "percentage": "0 to 100",
    "address": "an https address",
    "price": "dollars, up to 50,000",
    "factor": "0.001 to 20",
    "tokens": "a whole number",
}
PRICES = {
    "input": ("required", "per million tokens"),
    "output": ("required", "per million tokens"),
    "cache-write-5m": ("1.25 x input", "per million tokens"),
    "cache-write-1h": ("2 x input", "per million tokens"),
    "cache-read": ("a tenth of input", "per million tokens"),
    "fast": ("1", "factor of fast mode"),
    "us": ("1", "factor of inference in the US"),
    "context-window": ("unknown", "tokens"),
}


def reference() -> Iterator[str]:
    """Yield the rows of the table in docs/config.md."""
    for section, options in SECTIONS.items():
        for option in options:
            values = " ".join(f"`{choice}`" for choice in option.choices) or WORDS[option.kind]
            names = " or ".join(f"`{name}`" for name in option.variable.split(", "))
            first = f"; {names} in the environment takes precedence" if option.variable else ""
            yield f"| `[{section}]` | `{option.key}` | {values} | {option.default} | {option.meaning}{first} |"
    for key, (default, meaning) in PRICES.items():
        yield f'| `[prices.models."NAME"]` | `{key}` | {WORDS[PRICE[key]]} | {default} | {meaning} |'
    yield '| `[labels]` | `"NAME"` | a string | | what the statusline shows for that model |'
    meaning = "what the reports by project show for all projects whose path contains that"
    yield f'| `[project-labels]` | `"PART OF PATH"` | a string | | {meaning} |'


def test_the_documented_table_is_that_of_the_code() -> None:
    assert PRICES.keys() == PRICE.keys()
    text = (ROOT / "docs" / "config.md").read_text()
    table = text[text.index("| --- |") : text.index("<!-- end -->")]
    assert table.splitlines()[1:] == list(reference())


def test_the_documented_example_is_valid(environ: dict[str, str]) -> None:
    text = (ROOT / "docs" / "config.md").read_text()
    example = text[text.index("```toml\n") + 8 :]
    write(environ, example[: example.index("```")])
    found: dict[str, Any] = load(environ).values
    assert found["statusline"]["cost-source"] == "both"
