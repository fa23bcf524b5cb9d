"""`parley mail parse`: a line of JSON for each file, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gateway.cli import cli

RAW = (
    b"From: Anna <anna@customer.example>\r\nTo: s@operator.example\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Date: Mon, 3 Mar 2025 10:02:00 +0100\r\n"
    b"Message-ID: <a@b>\r\nReferences: <c@d> <e@f>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nNo signal.\r\n\r\nRegards\r\nAnna\r\n\r\n"
    b"On 3 Mar 2025 09:14, Support wrote:\r\n> Well?\r\n--b\r\nContent-Type: image/png; name=x.png\r\n\r\n\x89PNG\r\n\x1a\n--b--\r\n"
)


def parsed(*files: str, given: bytes = b"") -> list[dict[str, Any]]:
    result = CliRunner().invoke(cli, ["mail", "parse", *files], input=given)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_a_mail_as_a_line() -> None:
    (line,) = parsed("-", given=RAW)
    expected = {
        "from": "anna@customer.example",
        "name": "Anna",
        "to": ["s@operator.example"],
        "subject": "Grüße",
        "date": "2025-03-03T10:02:00+01:00",
        "message_id": "<a@b>",
        "references": ["<c@d>", "<e@f>"],
        "text": "No signal.",
        "quoted": "On 3 Mar 2025 09:14, Support wrote:\n> Well?",
        "signature": "Regards\nAnna",
        "kind": "person",
    }
    assert {name: line[name] for name in expected} == expected
    assert [(file["name"], file["type"], file["size"]) for file in line["attachments"]] == [("x.png", "image/png", 7)]


def test_files_and_noise(tmp_path: Path) -> None:
    for name, content in {"a.eml": RAW, "b.eml": b"", "c.eml": bytes(range(256)) * 40}.items():
        (tmp_path / name).write_bytes(content)
    lines = parsed(*(str(tmp_path / name) for name in ("a.eml", "b.eml", "c.eml")))
    assert [Path(line["file"]).name for line in lines] == ["a.eml", "b.eml", "c.eml"]
    assert lines[0]["text"] == "No signal."
    assert lines[1]["from"] == ""


def test_a_file_that_is_not_there() -> None:
    result = CliRunner().invoke(cli, ["mail", "parse", "no-such-file.eml"])
    assert result.exit_code != 0
    assert "no-such-file.eml" in result.output


def test_what_goes_over_the_limits_is_an_error() -> None:
    (line,) = parsed("-", given=bytes(300 * 1024 * 1024))
    assert line["error"] == "unreadable"
