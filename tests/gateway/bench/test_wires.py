"""What does not come by HTTP is measured at a real gateway too, and a side that goes away or refuses is no measurement."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner

from gateway.bench.load import LoadFailed, Plan, apply
from gateway.bench.wires import smtp
from gateway.cli import cli
from tests.sockets import raw_server

VALUES = {"to": "support@bench.example", "people": 3, "texts": ["menu"]}


@pytest.mark.long
def test_mails_and_messages_reach_a_real_gateway() -> None:
    done = CliRunner().invoke(cli, ["bench", "--json", "--seconds", "0.2", "--paths", "email,smpp,email_ses"], catch_exceptions=False)
    measured = {line["path"]: line for line in json.loads(done.stdout)}
    assert list(measured)[2:] == [
        "mail kept, email",
        "mail read meanwhile, email",
        "mail read afterwards, email",
        "turn, smpp",
        "reply submitted meanwhile, smpp",
        "mail kept, email_ses",
        "mail read meanwhile, email_ses",
        "mail read afterwards, email_ses",
    ]
    assert all(measured[path]["rps"] > 0 for path in ("mail kept, email", "turn, smpp", "mail kept, email_ses"))


async def test_a_mail_that_is_refused_is_a_wrong_answer() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            if line[:4] in {b"EHLO", b"MAIL", b"RCPT", b"DATA"}:
                writer.write(b"250-more\r\n250 OK\r\n")
            elif line == b".\r\n":
                writer.write(b"451 later\r\n")

    async with raw_server(refuse) as server:
        plan = Plan(server.port, "smtp", VALUES, 2, 0.1, 0.0)
        result = await smtp(plan, to="support@bench.example", people=3, texts=["menu"])
    assert result.wrong == result.total > 0
    assert result.sample == "451 later\r\n"


def test_a_server_that_is_not_there_is_no_measurement() -> None:
    with pytest.raises(LoadFailed, match="ConnectionRefusedError"):
        apply(Plan(1, "smtp", VALUES, 1, 0.1, 0.0, module="gateway.bench.wires"), None)
