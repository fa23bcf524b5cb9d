"""Addresses and dates as mails have them, not only as they should be."""

from __future__ import annotations

import pytest

from channels.mail import dates, fields
from channels.mail.model import Cap

ONE = {
    "jane@work.example <jane@x.example>": ("jane@x.example", "jane@work.example"),
    "Jane [Doe] <jane@x.example>": ("jane@x.example", "Jane [Doe]"),
    "Jane @ Work <jane@x.example>": ("jane@x.example", "Jane @ Work"),
    "Support 24:7 <jane@x.example>": ("jane@x.example", "Support 24:7"),
    "Jane (office) Doe <jane@x.example>": ("jane@x.example", "Jane Doe"),
    "jane@x.example (Jane (the) Doe)": ("jane@x.example", "Jane (the) Doe"),
    "Jane <jane@x.example> (home)": ("jane@x.example", "Jane"),
    "Jane <<jane@x.example>>": ("jane@x.example", "Jane"),
    "Jane <jane@x.example": ("jane@x.example", "Jane"),
    '"Jane <jane@x.example>': ("jane@x.example", "Jane"),
    "Jane (the <jane@x.example>": ("jane@x.example", "Jane the"),
    "Jane Doe jane@x.example": ("jane@x.example", "Jane Doe"),
    "jane @ x.example": ("jane@x.example", ""),
    "Jane <mailto:jane@x.example>": ("jane@x.example", "Jane"),
    "<@relay.example,@b.example:jane@x.example>": ("jane@x.example", ""),
    "@relay.example:jane@x.example": ("jane@x.example", ""),
    '"jane doe"@x.example': ('"jane doe"@x.example', ""),
    '"Jane \\"JD\\" Doe" <jane@x.example>': ("jane@x.example", 'Jane "JD" Doe'),
    "=?utf-8?Q?Doe,_Jane?= <jane@x.example>": ("jane@x.example", "Doe, Jane"),
    "Mail System <MAILER-DAEMON>": ("", "Mail System"),
    "Postmaster <>": ("", "Postmaster"),
    "Jane <@x.example>": ("", "Jane"),
}
SEVERAL = {
    "Friends: a@x.example, B <b@x.example>; c@x.example": ["a@x.example", "b@x.example", "c@x.example"],
    "undisclosed-recipients:;": [],
    "jane@x.example:eve@evil.example;": ["eve@evil.example"],
    "a@x.example; B <b@x.example>;": ["a@x.example", "b@x.example"],
    "A <a@x.example, B <b@x.example>": ["a@x.example", "b@x.example"],
    "Doe, Jane <a@x.example>, b@x.example": ["a@x.example", "b@x.example"],
    '"a, b" <a@x.example>,, ,b@x.example': ["a@x.example", "b@x.example"],
}
DATES = {
    "Mon, 03 Mar 2025 10:02:00 +0100 (CET)": "2025-03-03T10:02:00+01:00",
    "Mon, 03 Mar 2025 10:02:00 +01:00": "2025-03-03T10:02:00+01:00",
    "Mon, 03 Mar 2025 10:02:00 GMT+0100": "2025-03-03T10:02:00+01:00",
    "Mon, 03 Mar 2025 10:02:00 UTC-03:30": "2025-03-03T10:02:00-03:30",
    "Mon, 03 Mar 2025 10:02:00 CEST": "2025-03-03T10:02:00+02:00",
    "Mon, 03 Mar 2025 10:02:00 MET DST": "2025-03-03T10:02:00+02:00",
    "Mon, 03 Mar 2025 10:02:00 PDT": "2025-03-03T10:02:00-07:00",
    "Mon, 03 Mar 2025 10:02:00 XYZ": "2025-03-03T10:02:00+00:00",
    "Mon, 03 Mar 2025 10:02:00 -0000": "2025-03-03T10:02:00+00:00",
    "Mon, 03 Mar 2025 10:02:60 +0100": "2025-03-03T10:02:59+01:00",
    "Mon, 03 Mar 2025 10:02:00.123 +0100": "2025-03-03T10:02:00+01:00",
    "Mon, 03 Mar 2025 5:02:15 PM -0400": "2025-03-03T17:02:15-04:00",
    "Mon, 03 Mar 2025 12:02 am +0000": "2025-03-03T00:02:00+00:00",
    "Mon, 03 Mar 2025 10(hours) : 02 : 00 +0100": "2025-03-03T10:02:00+01:00",
    "Mon, 03 Mar 125 10:02:00 +0100": "2025-03-03T10:02:00+01:00",
    "Mon, 03 Mar 25 10:02 +0100": "2025-03-03T10:02:00+01:00",
    "Mon Mar  3 10:02:00 2025": "2025-03-03T10:02:00+00:00",
    "Mon Mar  3 10:02:00 EST 2025": "2025-03-03T10:02:00-05:00",
    "Mon Mar 3 10:02:00 2025 +0100": "2025-03-03T10:02:00+01:00",
    "2025-03-03T10:02:00Z": "2025-03-03T10:02:00+00:00",
    "2025-03-03 10:02:00 +0100": "2025-03-03T10:02:00+01:00",
    "lun., 3 Septiembre 2025 10:02:00 +0200": "2025-09-03T10:02:00+02:00",
    "Mi, 3 Dez 2025 10:02:00 +0100": "2025-12-03T10:02:00+01:00",
    "3 March 2025 10:02:00 +0100": "2025-03-03T10:02:00+01:00",
    "Mon, 31 Feb 2025 10:02:00 +0100": None,
    "Mon, 03 Mar 2025 10:02:00 +9900": None,
    "03/04/2025 10:02:00": None,
    "yesterday": None,
    "2025-99-99": None,
    "": None,
}


@pytest.mark.parametrize("written", ONE)
def test_an_address_and_its_name(written: str) -> None:
    assert [(box.address, box.name) for box in fields.mailboxes([written.encode()], set())] == [ONE[written]]


@pytest.mark.parametrize("written", SEVERAL)
def test_several_addresses(written: str) -> None:
    assert [box.address for box in fields.mailboxes([written.encode()], set())] == SEVERAL[written]


def test_eight_bits_without_a_set_are_in_that_of_the_body() -> None:
    over: set[Cap] = set()
    assert fields.text("Москва".encode("koi8-r"), over, "koi8-r") == "Москва"
    assert fields.mailboxes(["Анна <a@x.example>".encode("cp1251")], over, "windows-1251")[0].name == "Анна"
    assert fields.text("Grüße".encode(), over, "koi8-r") == "Grüße"
    assert fields.text("Grüße".encode("cp1252"), over, "utf-16") == "Grüße"


@pytest.mark.parametrize(
    ("written", "read"), [("<a.b@x.example>", "a.b@x.example"), ("102.1020", "102.1020"), ("<a", "a"), ("two words", ""), ("", "")]
)
def test_a_message_id(written: str, read: str) -> None:
    assert fields.message_id(written.encode()) == read


@pytest.mark.parametrize("written", DATES)
def test_a_date(written: str) -> None:
    read = dates.read(written.encode())
    assert (read and read.isoformat()) == DATES[written]
