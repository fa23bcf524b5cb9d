"""Attachments and the scanner: what is malicious cannot be opened by anybody, what nobody could look at waits, what is clean is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from core.model.address import Address, AddressKind
from core.model.inbound import InboundMessage, Media, RawRequest
from gateway.media.contents import ContentRefused
from gateway.media.scan import Infected, NotScanned, Scanner
from gateway.media.sweep import ASIDE_AGE_S, sweep
from gateway.receive import take_in
from tests.gateway.desk.signed import signed_in
from tests.gateway.desk.test_files import claimed
from tests.gateway.media.clamd import EICAR, STREAM_BYTES_MAX, Clamd
from tests.gateway.media.provider import OURS, Provider, account_path, gateway_at, png, sends_mms, settled, tried_again
from tests.gateway.running import ANNA, Running, running
from tests.gateway.webchat_client import Window
from tests.sockets import raw_server

PICTURE = png()


@pytest.fixture
async def clamd() -> AsyncIterator[Clamd]:
    async with Clamd().running() as started:
        yield started


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as started:
        yield started


@pytest.fixture
async def parley(provider: Provider, clamd: Clamd, tmp_path: Path) -> AsyncIterator[Running]:
    async with gateway_at(provider, tmp_path, **{"media.scanner": clamd.url}) as started:
        yield started


def openable(data: Path) -> set[str]:
    return {file.name for file in (data / "contents").rglob("*") if file.is_file()}


async def brings(parley: Running, content: bytes) -> None:
    """Take in a message that has its attachment with it, as a mail does."""
    brought = Media("document", name="letter.com", content=content)
    said = InboundMessage("m1", Address(AddressKind.MSISDN, ANNA), Address(AddressKind.MSISDN, OURS), "look", media=(brought,))
    request = RawRequest("POST", "", {}, b"raw", parley.gateway.clock.now_ms())
    await take_in(parley.gateway, parley.gateway.channels["sms"], request, [said])


async def test_a_clean_attachment_is_there(parley: Running, provider: Provider, clamd: Clamd) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = PICTURE
    await sends_mms(parley, provider, path)
    assert await settled(parley) == [("stored", None, "image/png")]
    assert clamd.scanned == [PICTURE]


async def test_a_malicious_one_is_put_aside_and_nobody_can_open_it(parley: Running, provider: Provider, tmp_path: Path) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = EICAR
    await sends_mms(parley, provider, path)
    assert [row[:2] for row in await settled(parley)] == [("refused", "infected")]
    digest = sha256(EICAR).hexdigest()
    assert digest not in openable(tmp_path)
    aside = tmp_path / "infected" / digest[:2] / digest
    assert aside.read_bytes() == EICAR
    assert aside.stat().st_mode & 0o077 == 0
    assert await parley.rows("select body from event where kind = 'media.refused'") != []
    assert await parley.rows("select text from message where direction = 'inbound'") == [("look",)]


async def test_without_the_scanner_it_waits_and_is_there_when_the_scanner_is_back(
    parley: Running, provider: Provider, clamd: Clamd, tmp_path: Path
) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = PICTURE
    clamd.away = True
    await sends_mms(parley, provider, path)
    assert [row[:2] for row in await settled(parley, states=("waiting",), tries=1)] == [("waiting", "not_scanned")]
    assert openable(tmp_path) == set()
    clamd.away = False
    await tried_again(parley)
    assert await settled(parley) == [("stored", None, "image/png")]


@pytest.mark.parametrize(("content", "ends"), [(PICTURE, ("stored", None)), (EICAR, ("refused", "infected"))])
async def test_what_came_with_its_message_is_not_lost_while_there_is_no_scanner(
    parley: Running, clamd: Clamd, content: bytes, ends: tuple[str, str | None]
) -> None:
    clamd.away = True
    await brings(parley, content)
    assert [row[:2] for row in await settled(parley, states=("waiting",), tries=1)] == [("waiting", "not_scanned")]
    assert await parley.rows("select digest from media") == [(None,)], "what has a digest can be opened"
    clamd.away = False
    await tried_again(parley)
    assert [row[:2] for row in await settled(parley)] == [ends]


async def test_what_came_with_its_message_is_scanned_before_it_is_recorded(parley: Running, tmp_path: Path) -> None:
    await brings(parley, EICAR)
    assert [row[:2] for row in await settled(parley)] == [("refused", "infected")]
    assert openable(tmp_path) == set()


async def test_a_content_that_waited_too_long_and_is_swept_is_gone(parley: Running, clamd: Clamd) -> None:
    clamd.away = True
    await brings(parley, PICTURE)
    await settled(parley, states=("waiting",), tries=1)
    parley.gateway.blobs.path(sha256(PICTURE).hexdigest()).unlink()
    clamd.away = False
    await tried_again(parley)
    assert [row[:2] for row in await settled(parley)] == [("refused", "gone")]


@pytest.mark.parametrize(("away", "code"), [(False, "infected"), (True, "not_scanned")])
async def test_nobody_can_hand_over_a_malicious_file_or_one_that_nobody_looked_at(
    parley: Running, clamd: Clamd, tmp_path: Path, *, away: bool, code: str
) -> None:
    clamd.away = away
    with pytest.raises(ContentRefused) as refused:
        await parley.gateway.contents.keep(EICAR)
    assert refused.value.code == code
    assert openable(tmp_path) == set()


@pytest.mark.parametrize(("away", "refused"), [(False, (415, "infected")), (True, (503, "not_scanned"))])
async def test_nothing_goes_out_that_the_scanner_did_not_find_clean(tmp_path: Path, *, away: bool, refused: tuple[int, str]) -> None:
    async with (
        Clamd(away=away).running() as clamd,
        running(tmp_path, overrides={"media.scanner": clamd.url}) as parley,
        Window(parley.gateway.url) as anna,
        signed_in(parley) as agent,
    ):
        await anna.open()
        await anna.say("agent", "m1")
        while not (await agent.lists())["queue"]:
            await anna.next()
        conversation, target, _ = await claimed(agent)
        status, answer = await agent.upload(conversation, target, EICAR)
    assert (status, answer["error"]["code"]) == refused


async def test_without_the_guard_it_could_be_opened(tmp_path: Path) -> None:
    """The teeth: the same file, and no scanner."""
    async with running(tmp_path) as parley:
        await brings(parley, EICAR)
        assert [row[0] for row in await settled(parley)] == ["stored"]
        assert sha256(EICAR).hexdigest() in openable(tmp_path)


async def test_what_was_put_aside_goes_after_a_month(parley: Running, tmp_path: Path) -> None:
    await brings(parley, EICAR)
    digest = sha256(EICAR).hexdigest()
    aside = tmp_path / "infected" / digest[:2] / digest
    assert await sweep(parley.gateway) == 0
    at = parley.gateway.clock.now_ms() / 1_000 - ASIDE_AGE_S - 60
    os.utime(aside, (at, at))
    assert await sweep(parley.gateway) == 1
    assert not aside.exists()


ANSWERS = [b"stream: Eicar FOUND", b"\0", b"OK\0", b"stream: OK \x00", b"stream: \xff ERROR\0", b"x" * 10_000, b"stream: OKstream: OK\0"]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_only_a_clear_word_counts(clamd: Clamd, answer: bytes) -> None:
    clamd.answer = answer
    scanner = Scanner(clamd.url, 15)
    if answer.strip(b"\0").strip() == b"stream: OK":
        await scanner.check(PICTURE)
    else:
        with pytest.raises(NotScanned):
            await scanner.check(PICTURE)


async def test_the_name_that_a_scanner_gives_is_one_short_line(clamd: Clamd) -> None:
    clamd.answer = b"stream: Evil\x1b[31m" + b"x" * 500 + b" FOUND\0"
    with pytest.raises(Infected) as infected:
        await Scanner(clamd.url, 15).check(PICTURE)
    assert str(infected.value) == f"Evil?[31m{'x' * 71}"


async def test_a_content_that_is_too_large_for_it_or_takes_too_long_was_not_scanned(clamd: Clamd) -> None:
    with pytest.raises(NotScanned):
        await Scanner(clamd.url, 15).check(b"x" * (STREAM_BYTES_MAX + 1))
    async with silent() as url:
        with pytest.raises(NotScanned, match="TimeoutError"):
            await Scanner(url, 0.05).check(PICTURE)


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """Run a server that takes connections and says nothing."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(wait) as server:
        yield f"tcp://127.0.0.1:{server.port}"


async def test_a_scanner_is_also_found_at_a_socket_of_the_file_system(tmp_path: Path) -> None:
    clamd = Clamd()
    scanner = Scanner(f"unix://{tmp_path}/clamd.ctl", 15)
    async with raw_server(clamd.serve, path=f"{tmp_path}/clamd.ctl"):
        await scanner.ping()
        with pytest.raises(Infected, match="Eicar-Test-Signature"):
            await scanner.check(b"before " + EICAR)
    with pytest.raises(NotScanned):
        await scanner.ping()
