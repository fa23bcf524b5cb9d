"""The check of a new machine: what it installs, prints and returns."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import ROOT

PARLEY = """#!/bin/sh
echo "parley $*"
echo "===== 3 passed in 1.20s ====="
echo "Not run: 1 browser tests"
exit 3
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout whose launcher is played, and a search path with the least that the script needs."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    programs = {"parley": PARLEY, "bin/apt-get": f'#!/bin/sh\necho "$@" >> {tmp_path}/apt\n'}
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "dirname", "mktemp", "tee", "grep", "tail", "rm", "sh"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    return tmp_path


def run(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", machine / ".ci" / "run", *arguments]
    environ = {"PATH": str(machine / "bin"), "TMPDIR": str(machine)}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_it_ends_with_the_closing_line_and_the_exit_code(machine: Path) -> None:
    done = run(machine, "--long")
    assert done.returncode == 3
    assert "parley test --long" in done.stdout
    assert done.stdout.splitlines()[-1] == "===== 3 passed in 1.20s ====="


def test_it_installs_what_is_missing(machine: Path) -> None:
    run(machine)
    assert (machine / "apt").read_text().splitlines() == ["update -qq", "install -y -qq --no-install-recommends chromium strace"]


def test_it_leaves_a_machine_that_has_everything_alone(machine: Path) -> None:
    for name in ("chromium", "strace"):
        (machine / "bin" / name).symlink_to("/bin/true")
    run(machine)
    assert not (machine / "apt").exists()
