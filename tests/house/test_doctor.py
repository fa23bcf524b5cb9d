"""What the doctor finds, and how commands print what customers wrote."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from gateway.commands import show
from tests.gateway.media.clamd import Clamd
from tests.house.parley import parley

STRANGE = "a\x1b[31mred\x1b[0m\tb\nc\u202egnp.exe\x00"


def findings(folder: Path, *arguments: str, **environ: str) -> tuple[int, dict[str, list[str]]]:
    """Return the exit code, and the texts of what is not well by what it is about."""
    ran = parley("doctor", "--json", "--data", str(folder / "data"), *arguments, environ=environ)
    assert "Traceback" not in ran.err
    found: dict[str, list[str]] = {}
    for finding in json.loads(ran.out):
        if finding["state"] != "ok":
            found.setdefault(f"{finding['state']} {finding['about']}", []).append(finding["text"])
    return ran.code, found


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_a_new_installation_is_well(tmp_path: Path) -> None:
    assert findings(tmp_path, PARLEY_SERVER_PORT=free_port()) == (0, {})
    assert not (tmp_path / "data").exists()


def test_a_wrong_configuration_is_a_problem(tmp_path: Path) -> None:
    code, found = findings(tmp_path, PARLEY_OPERATOR_COUNTRY="Kenya")
    assert code == 1
    assert "operator.country" in found["problem configuration"][0]


async def test_a_scanner_that_answers_is_well_and_one_that_does_not_is_a_problem(tmp_path: Path) -> None:
    async with Clamd().running() as clamd:
        found = await asyncio.to_thread(findings, tmp_path, PARLEY_SERVER_PORT=free_port(), PARLEY_MEDIA_SCANNER=clamd.url)
    assert found == (0, {})
    code, problems = await asyncio.to_thread(findings, tmp_path, PARLEY_SERVER_PORT=free_port(), PARLEY_MEDIA_SCANNER=clamd.url)
    assert code == 1
    assert "start clamd" in problems["problem scanner"][0]


def test_a_taken_port_is_a_problem(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, found = findings(tmp_path, PARLEY_SERVER_PORT=str(other.getsockname()[1]))
    assert (code, list(found)) == (1, ["problem gateway"])


def test_an_open_data_folder_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    code, found = findings(tmp_path, PARLEY_SERVER_PORT=free_port())
    assert code == 0
    assert "chmod 700" in found["warning data folder"][0]


def test_a_damaged_record_and_a_damaged_key_are_problems(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "parley.db").write_text("no database" * 1000)
    (tmp_path / "data" / "key").write_text("no key")
    (tmp_path / "data" / "key").chmod(0o600)
    code, found = findings(tmp_path, PARLEY_SERVER_PORT=free_port())
    assert code == 1
    assert "is damaged" in found["problem data folder"][0]
    assert "not a readable database" in found["problem store"][0]


def test_flows_that_cannot_be_used_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "flows.yml").write_text("flows: 5\n")
    code, found = findings(tmp_path, PARLEY_DIALOGS_PROJECT=str(tmp_path / "flows"), PARLEY_SERVER_PORT=free_port())
    assert (code, list(found)) == (1, ["problem dialogs"])


def test_it_can_be_read_by_people(tmp_path: Path) -> None:
    ran = parley("doctor", "--data", str(tmp_path / "data"), environ={"PARLEY_SERVER_PORT": free_port()})
    assert ran.out.splitlines()[0].startswith("ok       program: Python 3.")


def test_what_a_customer_wrote_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show.table([{"text": STRANGE}], ("text",), nothing="")
    assert capsys.readouterr().out == "TEXT\na[31mred[0m b cgnp.exe\n"


def test_a_table_without_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show.table([], ("text",), nothing="Nothing.")
    assert capsys.readouterr().out == "Nothing.\n"


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show.table([{"a": 1, "b_c": None}, {"a": 100, "b_c": "x"}], ("a", "b_c"), nothing="")
    assert capsys.readouterr().out == "A    B C\n1    -\n100  x\n"
