"""Measure what `ccusage live` costs while nothing happens: processor time and memory.

    python benchmarks/live.py DATA [--seconds 300] [--interval 2]

DATA is a data directory, as generate.py makes it. The view runs on a pseudo-terminal, once for that many seconds and
once only until it has started; the difference is the cost of idling.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = 5.0  # seconds after which it has started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data directory")
    parser.add_argument("--seconds", type=float, default=300, help="how long it idles")
    parser.add_argument("--interval", type=int, default=2, help="seconds from one frame to the next")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="live-") as state:
        own = {"CLAUDE_CONFIG_DIR": os.path.abspath(args.data), "CCUSAGE_STATE_DIR": state, "CCUSAGE_OFFLINE": "1"}
        environ = os.environ | own | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "ccusage_line"]
        subprocess.run([*command, "index", "refresh"], env=environ, check=True, stdout=subprocess.DEVNULL)
        watch = [*command, "live", "--refresh-interval", str(args.interval)]
        before, _ = cost(watch, environ, START)
        after, memory = cost(watch, environ, START + args.seconds)
    share = max(after - before, 0.0) / args.seconds
    print(f"{share:.2%} of a core, {share * 3600:.0f} s an hour; at most {memory / 1e6:.0f} MB")
    return 0


def cost(command: list[str], environ: dict[str, str], seconds: float) -> tuple[float, int]:
    """Return (seconds of processor time, peak bytes) of a command that is quit after *seconds*."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, environ)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            os.read(terminal, 65536)
    os.write(terminal, b"q")
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"it ended with {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
