"""The launcher: what it says when it cannot set up, and that a second start costs nothing.

The package installer is played by a small program, because a test has no network.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT

FAKE_PYTHON = """#!/bin/sh
# Plays the environment's Python: notes each call; `pip install` says what the test wants.
echo "$@" >> "$0.calls"
case "$*" in
    *"pip install"*) cat "$0.says"; exit "$(cat "$0.code")";;
    *"-m gateway"*) echo "gateway: $*"; echo "path: $PYTHONPATH";;
esac
exit 0
"""

SAYS = """Collecting aiohttp==3.0 (from -r requirements.lock (line 1))
WARNING: something that nobody needs to read
Processing /a/folder-1/of-wheels/click-8.0-py3-none-any.whl (from -r requirements.lock (line 3))
Installing collected packages: aiohttp
"""


class Checkout:
    """A copy of the launcher with small locks and an environment whose Python is played."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "parley", folder / "parley")
        (folder / "requirements.lock").write_text("aiohttp==3.0 \\\n    --hash=sha256:0\nclick==8.0 \\\n    --hash=sha256:0\n")
        (folder / "requirements-dev.lock").write_text("aiohttp==3.0\nclick==8.0\npytest==9.0\n")
        self.venv = folder / ".venv"
        self.python = self.venv / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        (self.venv / "pyvenv.cfg").touch()
        self.python.write_text(FAKE_PYTHON)
        self.python.chmod(0o755)
        self.pip(SAYS, 0)

    def pip(self, says: str, code: int) -> None:
        Path(f"{self.python}.says").write_text(says)
        Path(f"{self.python}.code").write_text(str(code))

    def installs(self) -> list[str]:
        calls = Path(f"{self.python}.calls")
        return [line for line in calls.read_text().splitlines() if "pip install" in line] if calls.exists() else []

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "PYTHON"))}
        command = [sys.executable, str(self.folder / "parley"), *arguments]
        return subprocess.run(command, env={**kept, **environ}, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_installs_once_and_shows_it(checkout: Checkout) -> None:
    first = checkout.run("version")
    assert first.returncode == 0, first.stderr
    assert "  1 of 2  aiohttp\n  2 of 2  click\n" in first.stderr.replace("   ", "  ")
    assert "WARNING" not in first.stderr
    assert "gateway: -P -m gateway version" in first.stdout
    assert f"path: {checkout.folder}" in first.stdout
    second = checkout.run("channels", "--json")
    assert second.stderr == ""
    assert "-m gateway channels --json" in second.stdout
    assert len(checkout.installs()) == 1
    assert "--require-hashes" in checkout.installs()[0]


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.run("version")
    with (checkout.folder / "requirements.lock").open("a") as lock:
        lock.write("jinja2==4.0\n")
    assert checkout.run("version").returncode == 0
    assert len(checkout.installs()) == 2


def test_the_tests_have_their_own_lock_which_serves_both(checkout: Checkout) -> None:
    checkout.run("test", "-k", "x")
    checkout.run("run")
    assert [call.rpartition("/")[2] for call in checkout.installs()] == ["requirements-dev.lock"]


def test_an_interrupted_installation_is_done_again(checkout: Checkout) -> None:
    checkout.pip("ERROR: Could not install packages\n", 1)
    assert checkout.run("version").returncode == 1
    checkout.pip(SAYS, 0)
    assert checkout.run("version").returncode == 0
    assert len(checkout.installs()) == 2


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ("ERROR: Could not find a version that satisfies the requirement aiohttp==3.0", "cannot be fetched. Check the network"),
        ("WARNING: Retrying after connection broken by NewConnectionError\nERROR: No matching distribution found", "Check the network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that was pinned"),
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: Failed building wheel for x", "Failed building wheel"),
    ],
)
def test_says_why_it_cannot_install(checkout: Checkout, says: str, sentence: str) -> None:
    checkout.pip(says + "\n", 1)
    result = checkout.run("run")
    assert result.returncode == 1
    assert result.stderr.startswith("parley: ") or "\nparley: " in result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_leaves_a_folder_with_other_files_alone(checkout: Checkout, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_text("cat")
    result = checkout.run("run", PARLEY_VENV=str(photos))
    assert result.returncode == 1
    assert "holds other files" in result.stderr
    assert [path.name for path in photos.iterdir()] == ["cat.jpg"]


def test_says_that_venv_is_missing(checkout: Checkout, tmp_path: Path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / "ensurepip.py").write_text("raise ImportError")
    shutil.rmtree(checkout.venv)
    result = checkout.run("run", PYTHONPATH=str(without))
    assert result.returncode == 1
    assert "apt-get install python3-venv" in result.stderr


def test_says_that_python_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "old.py"
    old.write_text("import sys\nsys.version_info = (3, 8, 10)\n__file__ = sys.argv[1]\nexec(open(sys.argv[1]).read())\n")
    environ = {**os.environ, "PATH": str(tmp_path)}
    result = subprocess.run([sys.executable, old, ROOT / "parley"], env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "parley: Python 3.11 or newer is needed, this is 3.8: install a newer one and run the same command again.\n"


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    result = subprocess.run(["/bin/sh", ROOT / "parley"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr


def test_reads_on_very_old_pythons() -> None:
    text = (ROOT / "parley").read_text(encoding="ascii")
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef, ast.Nonlocal, ast.Starred)
    assert [node for node in ast.walk(ast.parse(text)) if isinstance(node, newer) or getattr(node, "returns", None)] == []
