"""Mails fetched from a real IMAP server: all of them and each once, whatever happens to the server, its numbers or the gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.email import INCOMPLETE, Settings
from channels.mail.fetched import Fetched
from config.load import DEMO
from core.store import mailboxes
from core.store.sqlite import open_store
from gateway.mail import imap
from tests.channels.mail.relay import certificate
from tests.faults.lives import CRASHED, Home
from tests.gateway.mail.mailserver import FOLDER, PASSWORD, USER, MailServer, mail_server
from tests.gateway.running import Running, running
from tests.house.parley import parley as command

OURS = "support@operator.example"
PATIENCE_S = 60.0


def mail(number: int, body: str = "Hello") -> bytes:
    """Return a mail that is answered by nobody, for nothing here is about answers."""
    return (
        f"From: Anna <anna{number}@customer.example>\r\nTo: {OURS}\r\nSubject: Question {number}\r\n"
        f"Message-ID: <m{number}@customer.example>\r\nAuto-Submitted: auto-replied\r\n\r\n{body} {number}\r\n"
    ).encode()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as started:
        yield started


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "RECONNECT_FIRST_S", 0.05)


def config(folder: Path, server: MailServer, **changed: str | float) -> Path:
    """Return the configuration of the demo operator with the mailbox as a further channel."""
    known = {"kind": "email", "address": OURS, "smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_tls": "none", "imap_host": "127.0.0.1"}
    known |= {"imap_port": server.port, "imap_tls": "none", "imap_user": USER, "imap_folder": FOLDER, "imap_poll_s": 0.2, **changed}
    lines = [f"{name} = {str(value).lower() if not isinstance(value, str) else repr(value)}" for name, value in known.items()]
    (folder / "password").write_text(PASSWORD)
    path = folder / "mail.toml"
    path.write_text(DEMO.read_text() + "\n".join(["\n[channels.fetched]", *lines, "imap_password = { file = 'password' }\n"]))
    return path


async def until(parley: Running, *numbers: int) -> None:
    """Wait until exactly these mails are kept, each once."""

    async def there() -> bool:
        return len(await parley.rows("select 1 from kept_request")) >= len(numbers)

    await soon(parley, there)
    assert sorted(await kept(parley)) == sorted(f"Question {number}" for number in numbers)


async def kept(parley: Running) -> list[str]:
    rows = await parley.rows("select body from kept_request")
    contents = [parley.gateway.blobs.read(row[0]) for row in rows]
    return [content.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for content in contents]


async def counted(parley: Running, name: str, **labels: str) -> None:
    """Wait until something was counted."""

    async def there() -> bool:
        return parley.gateway.counters.value(name, channel="fetched", **labels) > 0

    await soon(parley, there)


async def soon(parley: Running, wanted: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        with parley.gateway.hints.listen("kept_requests", "events") as listener:
            while not await wanted():
                await listener.wait(0.1)


async def test_what_comes_is_kept_and_what_was_there_before_is_not(server: MailServer, tmp_path: Path) -> None:
    await server.put([mail(1)])
    async with running(tmp_path / "data", config=config(tmp_path, server)) as parley:
        await counted(parley, "mailbox_connects")
        await soon(parley, lambda: parley.rows("select 1 from mailbox_cursor"))
        await server.put([mail(2), mail(3)])
        await until(parley, 2, 3)
        rows = await parley.rows("select request from kept_request")
        assert [json.loads(row[0])["headers"] for row in rows] == [{"rcpt-to": OURS}] * 2
    assert await server.seen() == 0


async def test_a_server_that_tells_at_once_is_not_asked_again_and_again(server: MailServer, tmp_path: Path) -> None:
    async with running(tmp_path / "data", config=config(tmp_path, server, imap_poll_s=600, imap_begin="beginning")) as parley:
        await server.put([mail(1)])
        await until(parley, 1)
        await server.put([mail(2)])
        await until(parley, 1, 2)


async def test_all_that_came_during_an_outage_is_fetched(server: MailServer, tmp_path: Path) -> None:
    path = config(tmp_path, server, imap_begin="beginning", imap_mark_seen=True)
    async with running(tmp_path / "data", config=path) as parley:
        await server.put([mail(0)])
        await until(parley, 0)
        await all_seen(parley, server, 1)
    await server.put(mail(number) for number in range(1, 131))
    async with running(tmp_path / "data", config=path) as parley:
        await until(parley, *range(131))
        await all_seen(parley, server, 131)


async def all_seen(parley: Running, server: MailServer, count: int) -> None:
    """Wait until so many mails are marked, which comes after they are safe."""

    async def there() -> bool:
        return await server.seen() == count

    await soon(parley, there)


async def test_new_numbers_lose_nothing_and_repeat_nothing(server: MailServer, tmp_path: Path) -> None:
    path = config(tmp_path, server, imap_begin="beginning")
    old = [mail(number) for number in range(3)]
    await server.put(old)
    async with running(tmp_path / "data", config=path) as parley:
        await until(parley, 0, 1, 2)
        await soon(parley, lambda: parley.rows("select 1 from mailbox_cursor where last_uid > 0"))
    await server.renumber([*old, mail(3)])
    async with running(tmp_path / "data", config=path) as parley:
        await until(parley, 0, 1, 2, 3)
        assert parley.gateway.counters.value("mailbox_renumbered", channel="fetched") == 1
        assert parley.gateway.counters.value("duplicates", channel="fetched") == 3


async def test_a_server_that_goes_and_comes_back(server: MailServer, tmp_path: Path) -> None:
    async with running(tmp_path / "data", config=config(tmp_path, server, imap_begin="beginning")) as parley:
        await server.put([mail(1)])
        await until(parley, 1)
        await server.go()
        await counted(parley, "mailbox_losses", code="lost")
        await counted(parley, "mailbox_losses", code="not_connected")
        await server.come()
        await server.put([mail(2)])
        await until(parley, 1, 2)


async def test_a_mail_that_is_too_large_is_left_there_and_shown_to_a_person(server: MailServer, tmp_path: Path) -> None:
    async with running(tmp_path / "data", config=config(tmp_path, server, imap_begin="beginning", mail_max_bytes=10_000)) as parley:
        await server.put([mail(1, "x" * 20_000), mail(2)])
        await until(parley, 1, 2)
        rows = await parley.rows("select request, body from kept_request")
        cut = [body for request, body in rows if json.loads(request)["headers"].get("incomplete") == "too_large"]
        assert [len(parley.gateway.blobs.read(body)) < 1_000 for body in cut] == [True]
        await soon(parley, lambda: parley.rows("select 1 from message where text = ?", INCOMPLETE))


@pytest.mark.parametrize(("changed", "code"), [({"imap_user": "nobody"}, "refused"), ({"imap_folder": "Nowhere"}, "no_folder")])
async def test_settings_that_the_server_does_not_accept(
    server: MailServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, changed: dict[str, str], code: str
) -> None:
    async with running(tmp_path / "data", config=config(tmp_path, server, **changed)) as parley:
        await counted(parley, "mailbox_losses", code=code)
    assert f"the mailbox of fetched is not read now: {code}" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("place", ["mailbox.kept", "mailbox.moved", "kept.content", "kept.committed"])
async def test_an_end_between_keeping_and_noting_loses_and_repeats_nothing(server: MailServer, tmp_path: Path, place: str) -> None:
    await server.put(mail(number) for number in range(40))
    path = config(tmp_path, server, imap_begin="beginning")
    life = await Home(tmp_path, path).live(PARLEY_CRASH_AT=f"{place}:{1 if place.startswith('mailbox') else 5}")
    assert await life.ended(PATIENCE_S) == CRASHED
    async with running(tmp_path / "data", config=path) as parley:
        await until(parley, *range(40))


async def test_the_connection_is_encrypted(tmp_path: Path) -> None:
    theirs, file = certificate(tmp_path)
    async with mail_server(over_tls=theirs) as server:
        path = config(tmp_path, server, imap_tls="tls", imap_ca=file, imap_begin="beginning")
        async with running(tmp_path / "data", config=path) as parley:
            await server.put([mail(1)])
            await until(parley, 1)
        async with running(tmp_path / "other", config=config(tmp_path, server, imap_tls="tls")) as parley:
            await counted(parley, "mailbox_losses", code="not_connected")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"imap_user": ""}, "imap_user"),
        ({"imap_host": "mail.example"}, "without encryption"),
        ({"imap_ca": "/nowhere", "imap_tls": "tls"}, "no file"),
        ({"imap_password": "pässword"}, "ASCII"),
    ],
)
def test_settings_that_cannot_work(changed: dict[str, str], words: str) -> None:
    known = {"smtp_host": "127.0.0.1", "imap_host": "127.0.0.1", "imap_tls": "none", "imap_user": "u", "imap_password": "p"}
    with pytest.raises(ValueError, match=words):
        Fetched(**{**known, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "entry"),
    [
        ({}, ""),
        ({"listen": "lmtp://127.0.0.1:2424"}, "lmtp://127.0.0.1:2424"),
        ({"listen": "smtp://127.0.0.1:25", "imap_host": "mail.example"}, "smtp://127.0.0.1:25, imap://mail.example:993/INBOX"),
    ],
)
def test_where_mails_come_in_is_told(changed: dict[str, str], entry: str) -> None:
    assert Settings(**{"smtp_host": "127.0.0.1", "imap_user": "u", "imap_password": "p", **changed}).entry == entry  # type: ignore[arg-type]


async def told(path: Path, data: Path) -> tuple[Any, str]:
    """Return what commands of another process say of the mailbox: its state, and what the doctor finds."""
    where = ("--data", str(data), "--config", str(path))
    channels = json.loads((await asyncio.to_thread(command, "channels", "--json", *where)).out)
    findings = json.loads((await asyncio.to_thread(command, "doctor", "--json", *where)).out)
    state = next(channel["mailbox"] for channel in channels if channel["id"] == "fetched")
    return state, " ".join(f"{one['state']} {one['text']}" for one in findings if one["about"] == "mailbox of fetched")


async def test_operators_see_from_outside_how_reading_goes(server: MailServer, tmp_path: Path) -> None:
    path, data = config(tmp_path, server, imap_begin="beginning"), tmp_path / "data"
    before = json.loads(command("channels", "--json", "--data", str(data), "--config", str(path)).out)
    assert {channel["mailbox"] for channel in before} == {None}
    async with running(data, config=path) as parley:
        await server.put([mail(1)])
        await until(parley, 1)
        await soon(parley, lambda: parley.rows("select 1 from mailbox_state where read_at is not null and behind = 0"))
        state, found = await told(path, data)
        assert (state["behind"], state["failing_since"], state["code"]) == (0, None, None)
        assert found == f"ok all was fetched at {state['read_at']}"
    (tmp_path / "password").write_text("wrong")
    async with running(data, config=path) as parley:
        await soon(parley, lambda: parley.rows("select 1 from mailbox_state where code = 'refused'"))
        ((first,),) = await parley.rows("select failing_since from mailbox_state")
        await counted_twice(parley)
        assert await parley.rows("select failing_since from mailbox_state") == [(first,)], "it fails since the first time"
        state, found = await told(path, data)
        assert (state["failing_since"] is not None, state["code"]) == (True, "refused")
        assert found.startswith(f"warning cannot be read since {state['failing_since']}: refused")
    (tmp_path / "password").write_text(PASSWORD)
    async with running(data, config=path) as parley:
        await soon(parley, lambda: parley.rows("select 1 from mailbox_state where failing_since is null and code is null"))


async def counted_twice(parley: Running) -> None:
    async def there() -> bool:
        return parley.gateway.counters.value("mailbox_losses", channel="fetched", code="refused") >= 2

    await soon(parley, there)


def test_mails_that_are_still_to_be_fetched_are_counted(tmp_path: Path) -> None:
    store = open_store(tmp_path / "parley.db")
    try:
        store.write_sync(lambda tx: mailboxes.reads(tx, "mail", 5, 0))
        store.write_sync(lambda tx: mailboxes.reads(tx, "mail", 9, 40))
        assert store.read_sync(mailboxes.states) == {"mail": mailboxes.State("mail", 5, 40, None, None)}
    finally:
        store.close()
