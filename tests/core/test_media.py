"""Attachments in the record: which have a row, what people see of them, and names that are only names."""

from __future__ import annotations

from typing import Any

import pytest

from core import media
from core.model.address import Address, AddressKind
from core.model.dialog import Advanced
from core.model.inbound import Media
from core.routing import thread
from tests.core.conftest import ANNA, World

DIGEST = "a" * 64


def heard(world: World, *items: Media) -> Any:
    world.dialog.then(Advanced(None))
    return world.hear("sms", ANNA, "look", media=items)


def test_what_has_a_content_has_a_row_and_the_rest_speaks_for_itself(world: World) -> None:
    outcome = heard(
        world,
        Media("image", "https://provider.example/1", "image/png"),
        Media("location", values={"latitude": "1.5", "longitude": "2"}),
        Media("document", content_type="application/pdf", name="../bill.pdf", values={"digest": DIGEST, "size": "7"}),
        Media("document", name="virus.exe", values={"refused": "type_refused"}),
        Media("document", name="nothing.txt"),
    )
    assert "media" in outcome.wake
    assert world.rows("select position, name, state, code, digest, size from media order by position") == [
        (0, "", "waiting", None, None, None),
        (2, "bill.pdf", "stored", None, DIGEST, 7),
        (3, "virus.exe", "refused", "type_refused", None, None),
        (4, "nothing.txt", "refused", "empty", None, None),
    ]
    entries, _ = world.store.read_sync(lambda tx: thread.page(tx, [outcome.conversation_id]))
    shown = next(entry["message"]["media"] for entry in entries if entry["kind"] == "message.in")
    assert [one.get("state") for one in shown] == ["waiting", None, "stored", "refused", "refused"]
    assert shown[1]["values"] == {"latitude": "1.5", "longitude": "2"}
    assert shown[2] | {"id": ""} == {
        "id": "", "position": 2, "kind": "document", "caption": "", "name": "bill.pdf", "state": "stored",
        "content_type": "application/pdf", "size": 7, "shown": "",
    }  # fmt: skip
    assert "provider.example" not in str(entries)


def test_a_message_without_anything_to_fetch_wakes_nobody(world: World) -> None:
    assert "media" not in heard(world, Media("document", name="a.pdf", values={"digest": DIGEST, "size": "7"})).wake
    assert "media" not in heard(world, Media("contact", values={"name": "Ben"})).wake


def test_a_picture_is_shown_and_a_page_is_not(world: World) -> None:
    for kind, shown in (
        ("image/png", "image"),
        ("audio/ogg", "audio"),
        ("video/mp4", "video"),
        ("application/pdf", ""),
        (media.OPAQUE, ""),
    ):
        heard(world, Media("image", content_type=kind, values={"digest": DIGEST, "size": "7"}))
        row = world.rows("select id from media order by message_id desc limit 1")[0][0]
        item = world.store.read_sync(lambda tx, row=row: media.rows.find(tx, row))
        assert media.document(item)["shown"] == shown


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("bill.pdf", "bill.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("/etc/", ""),
        ("..", ""),
        (".htaccess", "htaccess"),
        ("a\x00.png", "a.png"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("a\r\nSet-Cookie: x=y", "a Set-Cookie x=y"),
        ('a".txt', "a.txt"),
        ("\u200bzero\u200d.txt", "zero.txt"),
        ("e\u0301te\u0301.txt", "\u00e9t\u00e9.txt"),
        ("\u8cc7\u6599.pdf", "\u8cc7\u6599.pdf"),
        ("  spaces   and\ttabs .txt ", "spaces and tabs .txt"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
        ("x" * 500, "x" * 120),
        ("a" + "\u0301" * 1_000_000, "\u00e1" + "\u0301" * 119),
    ],
)
def test_a_name_is_only_a_name(given: str, kept: str) -> None:
    assert media.clean_name(given) == kept


def test_an_address_of_another_kind_changes_nothing_of_the_rule(world: World) -> None:
    world.dialog.then(Advanced(None))
    outcome = world.hear("web", Address(AddressKind.VISITOR, "v9"), "look", media=(Media("image", "https://a.example/1"),))
    assert "media" in outcome.wake
