"""The phones on which agents take callers: an admin writes them as people write numbers, at the desk or by command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from tests.gateway.desk.signed import signed_in
from tests.gateway.running import Running


async def phones(parley: Running) -> dict[str, str | None]:
    return dict(await parley.rows("select login, phone from agent"))


@pytest.mark.parametrize(("written", "kept"), [("0711 082 115", "+254711082115"), ("+44 20 7946 0018", "+442079460018"), (" ", None)])
async def test_an_admin_gives_an_agent_a_phone(parley: Running, written: str, kept: str | None) -> None:
    async with signed_in(parley, "admin") as admin:
        ((agent_id,),) = await parley.rows("select id from agent where login = 'agent'")
        status, answer = await admin.post(f"/desk/api/agents/{agent_id}/phone", {"phone": written})
        assert (status, answer["agent"]["phone"]) == (200, kept)
        listed = (await admin.get("/desk/api/agents"))[1]["agents"]
    assert (await phones(parley))["agent"] == kept
    assert next(one["phone"] for one in listed if one["login"] == "agent") == kept


@pytest.mark.parametrize("written", ["12", "my phone", "+254711082112;ext=1\r\nX: 1", "sip:jo@pbx.example", "9" * 40])
async def test_what_is_no_phone_number_is_refused(parley: Running, written: str) -> None:
    async with signed_in(parley, "admin") as admin:
        ((agent_id,),) = await parley.rows("select id from agent where login = 'agent'")
        status, answer = await admin.post(f"/desk/api/agents/{agent_id}/phone", {"phone": written})
        assert (status, answer["error"]["code"]) == (400, "bad_phone")
        assert (await admin.post("/desk/api/agents/nobody/phone", {"phone": ""}))[0] == 404
    assert (await phones(parley))["agent"] == "+254711082112"


def test_a_phone_is_given_and_taken_by_command(tmp_path: Path) -> None:
    def run(*arguments: str, stdin: str | None = None) -> str:
        ran = CliRunner().invoke(cli, ["agents", arguments[0], "--data", str(tmp_path), *arguments[1:]], input=stdin)
        return ran.output + str(ran.exception or "")

    run("add", "mwangi", "--password-stdin", stdin="correct horse battery\n")
    assert run("phone", "mwangi", "0711 082 115") == "mwangi takes callers on +254711082115.\n"
    assert "+254711082115" in run("list")
    assert "is no phone number" in run("phone", "mwangi", "12")
    assert run("phone", "mwangi") == "mwangi takes no callers.\n"
    assert "There is no such agent." in run("phone", "nobody", "0711 082 115")
