"""`ccusage index`: checks, rebuilds or erases the index."""

from __future__ import annotations

import os

from ..errors import UsageError, UserError
from ..options import FORGET
from ..text import clean
from .console import Console
from .parser import Commands, add_actions, add_command
from .reporting import resolve_project


def add(commands: Commands, name: str) -> None:
    actions = add_actions(commands, name, "check, rebuild or erase the index", run_status)
    add_command(actions, "status", run_status, help="show what the index contains and what could not be read")
    add_command(actions, "refresh", run_refresh, help="bring the index up to date")
    add_command(actions, "sweep", run_sweep)  # started by the statusline in the background; not in the help
    add_command(actions, "verify", run_verify, help="compare the index with a fresh reading of all transcripts")
    add_command(actions, "rebuild", run_rebuild, help="read all transcripts again; archived sessions are kept")
    add_command(actions, "forget", run_forget, FORGET, help="erase sessions or limits that only the index still has")
    add_command(actions, "path", run_path, help="print where the index is")


def run_status(console: Console) -> None:
    """Print what the index contains, without updating it."""
    from ..index.questions import status

    rows = status(console.index())
    width = max(len(name) for name, _ in rows)
    console.out("".join(f"{name:<{width}}  {clean(str(value))}\n" for name, value in rows))


def run_refresh(console: Console) -> None:
    """Update the index."""
    from ..index.questions import contents

    index = console.index()
    index.refresh(console.progress())
    console.warn_not_stored(index, busy=True)
    console.out(f"up to date: {contents(index)}\n")


def run_sweep(console: Console) -> None:
    """Run `watch.sweep` in a background process."""
    from ..index.watch import sweep

    index = console.index()
    if not index.stored:  # what is read could not be stored
        return
    if hasattr(os, "nice"):
        os.nice(10)  # nobody waits for this process
    sweep(index)


def run_verify(console: Console) -> int:
    """Compare the index with a fresh reading of all transcripts; return 1 if they differ."""
    from ..index.verify import verify

    index = console.index()
    console.warn_not_stored(index)
    differences = verify(index, console.progress())
    console.out(
        "".join(f"{clean(difference)}\n" for difference in differences)
        or "the index agrees with a fresh reading of all transcripts\n"
    )
    return 1 if differences else 0


def run_rebuild(console: Console) -> None:
    """Read all transcripts again, into a new database if the old one is damaged."""
    from ..index.questions import contents
    from ..index.rebuild import rebuild
    from ..index.repair import set_aside_if_damaged

    try:
        set_aside_if_damaged(console.index_dir())
    except (OSError, UserError):  # the commands below report what is wrong
        pass
    index = console.index()
    console.warn_not_stored(index)
    rebuild(index, console.progress())
    console.warn_mended(index)
    console.out(f"rebuilt: {contents(index)}\n")


def run_forget(console: Console, *, which: str | None, project: str | None, archived: bool, windows: bool) -> None:
    """Erase sessions permanently. Those that still have transcripts would come back, so they are kept and reported."""
    from ..index.forget import forget, forget_windows

    if windows and not (which is not None or project or archived):
        count = forget_windows(console.index())
        console.out(f"forgot {count} window{'s' if count != 1 else ''}\n")
        return
    if windows or not (which is not None or project or archived):
        raise UsageError("choose what to forget: SESSION, --project TEXT, --archived or --windows")
    index = console.index()
    session = None
    if which is not None:
        from ..clock import day_of, zone_of
        from .ids import resolve

        index.refresh(console.progress())
        session = resolve(index, which, day_of(zone_of(None)))
    done = forget(index, session=session, project=resolve_project(project), archived=archived)
    console.out("".join(f"forgot {clean(name)}\n" for name in done.sessions) or "nothing to forget\n")
    for name in done.kept:
        console.say(f"{clean(name)} still has transcripts, which would bring it back: delete them first")


def run_path(console: Console) -> None:
    """Print the folder of the index of these data directories."""
    console.out(console.index_dir() + "\n")
