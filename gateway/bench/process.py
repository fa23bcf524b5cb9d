"""Starts the programs that are measured, as processes of their own, and stops them. It knows nothing of what is measured."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_URL = re.compile(r"http://127\.0\.0\.1:(\d+)")
_STOP_S = 30.0
_ROOT = Path(__file__).parents[2]


class NotStarted(Exception):
    """A program ended instead of starting; the text is what it said."""


@dataclass(slots=True)
class Running:
    """A program that runs, and its port."""

    process: subprocess.Popen[str]
    port: int

    def memory_mb(self) -> float:
        """Return the resident memory in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ProcessLookupError(self.process.pid)

    def cpu_s(self) -> float:
        """Return the seconds of processor time that the program has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End the program as an operator would, and wait for it."""
        with self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()


def environment() -> dict[str, str]:
    """Return the environment in which `python -m gateway…` finds this program, whatever the current folder is."""
    places = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


def start(module: Sequence[str], *, core: int | None = None) -> Running:
    """Run `python -m module…` and wait for the line with its address; pinned to `core` if given. Raises `NotStarted`."""
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:  # a pipe would fill up, and then the program would wait for its reader
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
            preexec_fn=pin,  # noqa: PLW1509 - the child only pins itself
        )
        url = _URL.search(process.stdout.readline() if process.stdout else "")
        if url:
            return Running(process, int(url[1]))
        with process:
            process.kill()
        log.seek(0)
        raise NotStarted(f"{' '.join(module)} ended with {process.returncode}: {log.read()[-2000:].strip()}")


def gateway(data: Path, *, config: Path | None = None, core: int | None = None) -> Running:
    """Start the gateway on a free port; raises `NotStarted`."""
    options = ["--port", "0", "--data", str(data)] + (["--config", str(config)] if config else [])
    return start(["gateway", "run", *options], core=core)
