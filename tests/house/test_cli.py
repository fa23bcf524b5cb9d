"""The command line: help everywhere, and one sentence with the right exit code for what can go wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import COMMANDS
from tests.house.parley import parley
from tests.house.sources import ROOT


def test_help_lists_every_command() -> None:
    result = parley("--help")
    assert result.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = parley(name, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"Usage: parley {name}" in result.out


def test_help_imports_no_command() -> None:
    script = (
        "import sys; from gateway.cli import main\ntry:\n    main(['--help'])\nfinally:\n    print({'aiohttp', 'apsw'} & {*sys.modules})"
    )
    result = subprocess.run([sys.executable, "-P", "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert result.stdout.endswith("set()\n")


def test_a_wrong_command_is_a_wrong_use() -> None:
    assert parley("runn").code == 2


def test_every_mistake_in_the_configuration_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('mode = "demo"\n[operator]\nname = "X"\ncountry = "Kenya"\ncurrency = "KES"\n[server]\nprot = 80\n')
    result = parley("run", "--config", str(file), "--data", str(tmp_path / "data"))
    assert result.code == 2
    assert f"{file}:4: operator.country" in result.err
    assert f"{file}:7: server.prot: unknown setting (did you mean 'port'?)" in result.err
    assert "Traceback" not in result.err
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = parley("channels", "--data", str(tmp_path / "file" / "data"))
    assert result.code == 1
    assert "cannot use the data folder" in result.err
    assert "--data" in result.err


def test_without_a_record_the_reading_commands_say_what_to_do(tmp_path: Path) -> None:
    result = parley("interactions", "--data", str(tmp_path))
    assert result.code == 1
    assert "Start the gateway once" in result.err
