"""A gateway as a process of its own, started as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import ROOT

_OPEN = re.compile(r"open (http://\S+)/ in a browser")


@dataclass
class Process:
    """A running gateway, and what it printed when it was ready."""

    popen: subprocess.Popen[str]
    url: str

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(30)


def environment(**more: str) -> dict[str, str]:
    """Return an environment without the settings of a gateway that may be at home here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def command(*arguments: str, folder: Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own, with `folder` as the current one."""
    line = [sys.executable, "-P", "-m", "gateway", *arguments]
    return subprocess.run(line, cwd=folder, env=environment(**more), input=stdin, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def gateway(folder: Path, *arguments: str, **more: str) -> Iterator[Process]:
    """Run a gateway with `folder` as the current one until the block ends."""
    line = [sys.executable, "-P", "-m", "gateway", "run", "--port", "0", *arguments]
    popen = subprocess.Popen(line, cwd=folder, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert popen.stdout is not None
        found = _OPEN.search(popen.stdout.readline())
        if found is None:
            raise AssertionError(popen.communicate()[1])
        yield Process(popen, found[1])
    finally:
        if popen.poll() is None:
            popen.kill()
        popen.communicate()
