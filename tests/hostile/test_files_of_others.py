"""Other people's files: what is not ours alone is neither believed nor used nor changed."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attack import run_behind, strace
from conftest import Home
from lines import ID, line
from others import OTHER, as_root, give, listing, owners, reachable_folder


@pytest.fixture
def used(home: Home) -> Home:
    """Return a home with one session in which no command has run yet."""
    home.write(f"-p/{ID}.jsonl", line())
    return home


def cost(home: Home, **env: str) -> tuple[float | None, str]:
    """Return the cost of the session by `--id` (None if that fails), and the warnings."""
    ran = home.run("session", "--id", ID, "--json", **env)
    return (json.loads(ran.out)["totalCost"] if ran.code == 0 else None), ran.err


# --- install, as root in a user's home -----------------------------------------------------------------------------


@pytest.fixture
def theirs() -> Iterator[Home]:
    """Yield a home of another user, as `sudo` leaves it in HOME; no variable names another folder."""
    with reachable_folder() as folder:
        home = Home(folder / "ada")
        for name in ("CLAUDE_CONFIG_DIR", "CCUSAGE_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            del home.env[name]
        (home.path / ".claude").mkdir()
        home.env["PYTHONDONTWRITEBYTECODE"] = "1"
        give(home.path)
        yield home


@as_root
def test_root_leaves_settings_that_their_owner_can_read_and_nothing_of_its_own(theirs: Home) -> None:
    assert theirs.run("install").code == 0
    assert owners(theirs.path) == {OTHER}
    settings = theirs.path / ".claude" / "settings.json"
    assert "statusLine" in json.loads(settings.read_text())
    assert theirs.run("uninstall").code == 0
    assert owners(theirs.path) == {OTHER}


@as_root
def test_root_does_not_follow_a_users_link_to_what_is_not_the_users(theirs: Home, tmp_path: Path) -> None:
    secret = tmp_path.parent / f"{tmp_path.name}-secret.json"
    secret.write_text("{}\n")
    secret.chmod(0o600)
    link = theirs.path / ".claude" / "settings.json"
    link.symlink_to(secret)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    before = listing(secret)
    ran = theirs.run("install")
    assert (ran.code, listing(secret)) == (2, before)
    assert str(link) in ran.err


@as_root
def test_a_link_in_the_place_of_the_temporary_file_gives_nobody_anything(theirs: Home, tmp_path: Path) -> None:
    victim = tmp_path.parent / f"{tmp_path.name}-shadow"
    victim.write_text("root's\n")
    victim.chmod(0o600)
    folder = theirs.path / ".claude"
    settings = folder / "settings.json"
    settings.write_text("{}\n")
    settings.chmod(0o666)
    os.chown(settings, OTHER, OTHER)
    before = listing(victim)

    def attack() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end and not over.is_set():
            for name in os.listdir(folder):
                if name.startswith(".settings-") and not os.path.islink(folder / name):
                    (folder / "link").symlink_to(victim)
                    os.rename(folder / "link", folder / name)

    slow, over = strace(Path(os.devnull), "fsync", "delay_exit=300000"), threading.Event()
    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        run_behind(theirs, slow, "install")
    finally:
        over.set()
        attacker.join()
    assert listing(victim) == before


@as_root
def test_root_asking_in_a_users_home_leaves_nothing_there(theirs: Home) -> None:
    transcript = theirs.path / ".claude" / "projects" / "-p" / f"{ID}.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_text(line())
    give(theirs.path)
    told, warned = cost(theirs)
    assert told is not None
    assert told > 0
    assert "can't be stored" in warned
    theirs.run("prompt", "--refresh")
    theirs.run("statusline", input=json.dumps({"session_id": ID}))
    assert owners(theirs.path) == {OTHER}


# --- the state folder ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, None], ids=["open", "sticky", "a group's", "a link"])
def test_a_state_folder_that_others_may_write_to_is_refused_as_it_is(used: Home, mode: int | None) -> None:
    folder = used.state if mode else used.path / "elsewhere"
    folder.mkdir()
    folder.chmod(mode or 0o1777)
    if mode is None:
        used.state.symlink_to(folder)
    before = listing(folder)
    told, warned = cost(used)
    assert told is not None
    assert told > 0
    assert "others may write" in warned
    used.run("prompt", "--refresh")
    used.run("statusline", input=json.dumps({"session_id": ID}))
    used.run("prices", "refresh", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/")
    assert listing(folder) == before
    said = used.run("doctor").out
    assert "other users can write" in said
    assert "chmod" not in said


def test_a_state_folder_that_others_may_only_look_at_is_used_and_stays_as_it_is(used: Home) -> None:
    used.state.mkdir()
    used.state.chmod(0o755)
    assert cost(used)[1] == ""
    assert stat.S_IMODE(used.state.stat().st_mode) == 0o755
    inside = [path for path in used.state.rglob("*") if path.lstat().st_mode & 0o077]
    assert inside == []


@as_root
@pytest.mark.parametrize("name", ["", "prompt", "answers", "index.db", "recent", "prices.bin", "config.bin"])
def test_files_of_another_user_in_the_state_folder_are_not_used_or_changed(used: Home, name: str) -> None:
    right = cost(used)[0]
    used.run("prompt", "--refresh")
    used.run("statusline", input=json.dumps({"session_id": ID}))
    (index,) = (path.parent for path in used.state.glob("*/index.db"))
    place = used.state if not name else index / name if (index / name).exists() else used.state / name
    if not place.exists():
        place.write_bytes(b"forged")
    give(place)
    before = listing(place)
    assert cost(used)[0] == right
    used.run("prompt", "--refresh")
    used.run("statusline", input=json.dumps({"session_id": ID}))
    if place.is_dir():  # a single file may be replaced by one of ours
        assert listing(place) == before


def test_links_in_the_state_folder_are_not_written_through(used: Home) -> None:
    cost(used)
    (index,) = (path.parent for path in used.state.glob("*/index.db"))
    victim = used.path / "victim"
    victim.write_text("mine\n")
    (used.state / "prompt").mkdir(mode=0o700)
    places = [
        used.state / "prompt" / "refresh.lock",
        used.state / "statusline.log",
        used.state / "prices.lock",
        index / "swept",
        index / "first.lock",
        index / "sweep.lock",
    ]
    for place in places:
        place.unlink(missing_ok=True)
        place.symlink_to(used.path / f"made-by-{place.name}")
    used.write(f"-p/{ID}.jsonl", line() + line("m2", "r2"))
    used.run("prompt", "--refresh")
    used.run("statusline", input="no JSON")
    used.run("index", "sweep")
    used.run("prices", "refresh", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/")
    assert [path.name for path in used.path.glob("made-by-*")] == []
    assert victim.read_text() == "mine\n"
