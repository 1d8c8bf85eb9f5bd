"""Other people's code: nothing that a repository, another user or a damaged file brings along is run or shown."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ccusage_line.prompt import line as readyline
from ccusage_line.prompt import snippets
from others import as_root, give, listing
from shells import EVERY_SHELL, Shell, World, needs, until

every_shell = pytest.mark.parametrize("shell", EVERY_SHELL)
POSIX = pytest.mark.parametrize("shell", [needs["bash"], needs["zsh"]])


def shown(shell: Shell) -> str:
    return shell.value('"$CCUSAGE_TEXT"')


def rows(path: str) -> list[str]:
    return Path(path).read_text().split("\n")


def forge(path: str, changed: list[str]) -> None:
    """Replace the rows of a ready line without a change of its time."""
    write_as_old(Path(path), "\n".join(changed).encode())


def write_as_old(path: Path, data: bytes) -> None:
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


# --- ready lines ---------------------------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize("row", [1, 2])
def test_a_ready_line_with_a_number_that_is_not_digits_is_not_used(shell, world, project, row):
    path = world.line(project).path
    told = rows(path)
    told[row] = f"a[$(touch {world.home}/ran)0]"
    forge(path, told)
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        assert "forged" not in shown(terminal)
        until(lambda: world.fresh(project), "the line is made anew")
    assert not (world.home / "ran").exists()


@every_shell
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.replace("$0.10", "$9.10"), id="another-digit"),
        pytest.param(lambda text: text.replace("0.10", "010"), id="a-lost-point"),
        pytest.param(lambda text: text.replace("$0.10", "$70.10"), id="one-more-digit"),
        pytest.param(lambda text: text.replace("$0.10", "\0" * 5), id="zeros"),
        pytest.param(lambda text: text[: len(text) // 2], id="half"),
    ],
)
def test_a_damaged_ready_line_is_not_shown_but_made_anew(shell, world, project, damage):
    path = world.line(project).path
    forge(path, [damage("\n".join(rows(path)))])
    seen = f'printf "%s\\n" "$CCUSAGE_TEXT" >>{world.home}/seen'
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        terminal.enter(seen)
        until(lambda: world.fresh(project), "the line is made anew")
        terminal.enter("true")
        terminal.enter(seen)
    first, last = (world.home / "seen").read_text().split("\n")[:-1]
    assert not first or first.startswith("$0.10")
    assert last.startswith("$0.10")
    assert world.run("prompt", "--cwd", str(project)).stdout.startswith("$0.10")


REFRESHER = shutil.which("true") or ""


def text_of(shell: str, world: World, cwd: Path) -> str:
    """Return the text of one prompt of a shell whose refresher does nothing; fail if the shell does not end in time."""
    snippet = snippets.render(shell, executable=REFRESHER, state_dir=str(world.state))
    code = f'{snippet}\n__ccusage_hook\nprintf %s "$CCUSAGE_TEXT"'
    words = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}[shell]
    ran = subprocess.run([*words, "-c", code], env=world.environ, cwd=cwd, capture_output=True, timeout=10)
    assert ran.stderr == b""
    return ran.stdout.decode("utf-8", "replace")


def numbers(text: str) -> str:
    return "".join(c for c in text if c in "0123456789.")


@every_shell
def test_no_byte_that_changes_in_a_ready_line_makes_another_number(shell, world, project):
    path = Path(world.line(project).path)
    whole, right = path.read_bytes(), numbers(text_of(shell, world, project))
    assert right.startswith("0.10")
    end = whole.index(b"\n" + os.fsencode(world.projects))
    dice = random.Random(shell)
    seen = set()
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[dice.randrange(end)] = dice.choice([0, 10, 27, 46, 57, 255, dice.randrange(256)])
        write_as_old(path, bytes(damaged))
        seen.add(numbers(text_of(shell, world, project)))
    assert seen <= {right, ""}


KINDS = {
    "a FIFO": os.mkfifo,
    "a folder": Path.mkdir,
    "nothing": lambda path: None,
    "empty": lambda path: path.touch(),
    "zeros": lambda path: path.write_bytes(bytes(100_000)),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@every_shell
@pytest.mark.parametrize("which", ["line", "scope", "refreshing"])
def test_with_anything_in_the_place_of_its_files_the_prompt_comes_at_once(shell, world, project, which):
    line = Path(world.line(project).path)
    place = {
        "line": line,
        "scope": next((world.state / "prompt").rglob("*.scope")),
        "refreshing": world.state / "prompt" / "refreshing",
    }[which]
    for kind, make in KINDS.items():
        line.unlink(missing_ok=True) if line.is_file() else None
        place.rmdir() if place.is_dir() else place.unlink(missing_ok=True)
        make(place)
        assert text_of(shell, world, project) == "", kind
        world.run("prompt", "--cwd", str(project))  # this must answer in time too


@as_root
@every_shell
@pytest.mark.parametrize("whose", ["line", "scope", "folder of lines", "folder of scopes"])
def test_what_another_user_wrote_for_the_prompt_is_not_shown(shell, world, project, whose):
    line = world.line(project).path
    forged = [row.replace("$0.10", "forged") for row in rows(line)]
    place = {
        "line": Path(line),
        "scope": next((world.state / "prompt").rglob("*.scope")),
        "folder of lines": Path(line).parent,
        "folder of scopes": world.state / "prompt",
    }[whose]
    if whose == "line":
        forge(line, forged)
    else:  # what the file leads to must be forged too
        readyline.write(line, "forged", examined_ns=0, expires=1 << 40)
    give(place)
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        assert "forged" not in shown(terminal)
        if whose != "scope":  # a scope may exist again by now, before the line that it leads to
            terminal.run("true")
            assert "forged" not in terminal.screen


@as_root
def test_text_of_another_user_runs_nothing_in_zsh_with_prompt_subst(world, project):
    path = world.line(project).path
    text = f"$(touch {world.home}/ran)"
    forge(path, [row.replace("0.10", text) for row in rows(path)])
    give(Path(path))
    rc = f"setopt prompt_subst\n{world.snippet('zsh')}"
    with Shell("zsh", world, rc, cwd=project) as terminal:
        terminal.run("true")
        until(lambda: world.fresh(project), "the line is made anew")
    assert not (world.home / "ran").exists()


@as_root
@pytest.mark.parametrize("shell", [needs["bash"]])
def test_a_link_of_another_user_is_not_written_through_for_the_real_folder(shell, world, project):
    linked = world.home / "linked"
    linked.symlink_to(project)
    victim = world.home / "victim"
    victim.write_text("mine\n")
    with Shell(shell, world, world.snippet(shell)) as terminal:
        real = world.state / "prompt" / f"pwd.{terminal.process.pid}"
        real.unlink(missing_ok=True)
        real.symlink_to(victim)
        give(world.state / "prompt")
        terminal.run(f"cd {linked}")
    assert victim.read_text() == "mine\n"


@as_root
@every_shell
def test_a_folder_of_another_user_takes_no_marker_and_starts_nothing(shell, world, project):
    folder = world.state / "prompt"
    (folder / "refreshing").unlink(missing_ok=True)
    (folder / "refreshing").symlink_to(world.home / "made")
    give(folder)
    before = listing(folder)
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        for _ in range(3):
            terminal.run("true")
    assert not (world.home / "made").exists()
    assert listing(folder) == before


# --- places that a repository names --------------------------------------------------------------------------------


@every_shell
def test_a_relative_state_home_does_not_lead_into_the_working_directory(shell, world, project):
    """For example with direnv in a repository, whose folders belong to the user."""
    environ = {name: value for name, value in world.environ.items() if name != "CCUSAGE_STATE_DIR"}
    for name, value in (("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")):
        ran = subprocess.run(
            [str(world.ccusage), "init", shell],
            env=environ | {name: value},
            cwd=project,
            capture_output=True,
            text=True,
        )
        assert str(project) not in ran.stdout
        assert f"{world.home}/.local/state/ccusage-line" in ran.stdout
        subprocess.run(
            [str(world.ccusage), "session", "--id", "latest"], env=environ | {name: value}, cwd=project, check=True,
            capture_output=True,
        )  # fmt: skip
        assert list(project.iterdir()) == []


@pytest.mark.parametrize("variable", ["CCUSAGE_STATE_DIR", "CCUSAGE_CONFIG", "CCUSAGE_MANAGED_SETTINGS"])
def test_a_relative_path_in_our_variables_is_refused(world, project, variable):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(world.ccusage), *words], env=world.environ | {variable: "ours"}, cwd=project, input="{}",
            capture_output=True, text=True,
        )  # fmt: skip

    for words in (("session",), ("session", "--id", "latest", "--json"), ("daily", "--json"), ("prices", "show")):
        ran = run(*words)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr == f"ccusage: {variable} has to be an absolute path, not 'ours'\n"
    assert f"{variable} has to be an absolute path" in run("doctor").stdout
    for words in (("statusline",), ("statusline", "--no-such-option"), ("prompt",)):  # these never fail
        ran = run(*words)
        assert (ran.returncode, ran.stderr) == (0, "")
    assert list(project.iterdir()) == []


# --- what install and init write -----------------------------------------------------------------------------------


@pytest.fixture
def bare(world: World) -> list[str]:
    """Return words that run the package as a module, with a Python that has no launcher of ours beside it."""
    folder = world.home / "python" / "bin"
    folder.mkdir(parents=True)
    python = folder / "python3"
    python.symlink_to(os.path.realpath(sys.executable))
    world.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    world.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return [str(python), "-m", "ccusage_line"]


def hostile_repository(world: World) -> Path:
    """Make a repository with a package of our name, and with modules that every program imports."""
    folder = world.home / "repository"
    (folder / "ccusage_line").mkdir(parents=True)
    bad = f"open({str(world.home / 'ran')!r}, 'w')\n"
    for name in ("ccusage_line/__init__.py", "ccusage_line/__main__.py", "os.py", "json.py"):
        (folder / name).write_text(bad)
    return folder


def installed(world: World) -> str:
    settings = json.loads((world.config / "settings.json").read_text())
    command: str = settings["statusLine"]["command"]
    return command


def test_what_install_writes_does_not_run_a_repositorys_code(world, bare):
    ran = subprocess.run([*bare, "install"], env=world.environ, cwd=world.home, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    del world.environ["PYTHONPATH"]
    ran = subprocess.run(
        ["sh", "-c", installed(world)], env=world.environ, cwd=hostile_repository(world), input="{}",
        capture_output=True, text=True,
    )  # fmt: skip
    assert not (world.home / "ran").exists()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip()


def test_an_installed_line_of_a_module_is_known_as_ours(world, bare):
    for _ in range(2):
        ran = subprocess.run([*bare, "install"], env=world.environ, cwd=world.home, capture_output=True, text=True)
        assert ran.returncode == 0
    assert ran.stdout.startswith("unchanged")
    ran = subprocess.run([*bare, "uninstall"], env=world.environ, cwd=world.home, capture_output=True, text=True)
    assert not (world.config / "settings.json").exists(), ran.stdout


def test_another_program_called_ccusage_beside_python_is_not_taken_for_ours(world, bare):
    other = Path(bare[0]).parent / "ccusage"
    other.write_text("#!/bin/sh\necho another program\n")
    other.chmod(0o755)
    subprocess.run([*bare, "install"], env=world.environ, cwd=world.home, check=True, capture_output=True)
    assert str(other) not in installed(world)
    world.environ["PATH"] = os.defpath
    ran = subprocess.run([*bare, "init", "bash"], env=world.environ, cwd=world.home, capture_output=True, text=True)
    assert str(other) not in ran.stdout
    assert ran.returncode == 2  # a hook needs a command
    assert "install ccusage-line again" in ran.stderr
