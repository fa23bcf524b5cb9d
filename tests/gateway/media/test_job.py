"""Attachments from the message to the disk: fetched once, tried again for a day, refused for good with a reason, in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web

from core import media
from core.store import media as rows
from gateway.media.job import AT_ONCE_ON_CHANNEL
from tests.gateway.media.provider import Provider, account_path, answers, gateway_at, png, sends_mms, settled, tried_again
from tests.gateway.running import Running

PICTURE = png()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as started:
        yield started


@pytest.fixture
async def parley(provider: Provider, tmp_path: Path) -> AsyncIterator[Running]:
    async with gateway_at(provider, tmp_path) as started:
        yield started


async def test_a_picture_is_fetched_with_the_accounts_password_and_kept_once(parley: Running, provider: Provider) -> None:
    one, other = account_path(parley, "ME1"), account_path(parley, "ME2")
    provider.files |= {one: PICTURE, other: PICTURE}
    await sends_mms(parley, provider, one, other)
    assert await settled(parley) == [("stored", None, "image/png")] * 2
    digest = sha256(PICTURE).hexdigest()
    assert await parley.rows("select distinct digest, size from media") == [(digest, len(PICTURE))]
    assert parley.gateway.blobs.read(digest) == PICTURE
    assert [headers["Authorization"][:6] for _, headers in provider.calls] == ["Basic "] * 2
    events = await parley.rows("select kind, body from event where kind like 'media.%' order by cursor")
    assert [kind for kind, _ in events] == ["media.stored"] * 2
    assert "http" not in events[0][1], "where it came from is nobody's business"
    assert parley.gateway.counters.value("media_stored", channel="sms") == 2


async def test_the_message_does_not_wait_for_its_attachment(parley: Running, provider: Provider) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(body=PICTURE)

    path = account_path(parley, "ME1")
    provider.files[path] = slow
    await sends_mms(parley, provider, path)
    async with asyncio.timeout(15):
        await asked.wait()
    assert await parley.rows("select state, attempts from media") == [("fetching", 1)]
    assert (await parley.rows("select count(*) from message where direction = 'outbound'"))[0][0] > 0, "the bot has answered"
    go_on.set()
    assert await settled(parley) == [("stored", None, "image/png")]


async def test_one_message_taken_in_twice_has_its_attachments_once(parley: Running, provider: Provider) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = PICTURE
    await sends_mms(parley, provider, path)
    await settled(parley)
    sid = (await parley.rows("select external_id from inbound"))[0][0]
    await sends_mms(parley, provider, path, sid=sid)
    assert await parley.rows("select count(*) from media") == [(1,)]
    assert len(provider.calls) == 1


async def test_what_no_other_try_can_help_is_refused_at_once(provider: Provider, tmp_path: Path) -> None:
    kinds = {
        "gone": answers(410),
        "refused": answers(400),
        "empty": answers(body=b""),
        "too_large": answers(body=b"x" * 3_000),
        "unreadable_answer": answers(body=PICTURE, Content_Encoding="gzip"),
        "host_refused": answers(302, Location="https://elsewhere.example/x"),
        "bad_url": answers(302, Location="https://user:word@mms.twiliocdn.com/x"),
    }
    async with gateway_at(provider, tmp_path, **{"media.max_bytes": 2_048}) as parley:
        paths = {account_path(parley, code): answer for code, answer in kinds.items()}
        provider.files |= paths
        await sends_mms(parley, provider, *paths)
        assert await settled(parley) == [("refused", code, "image/png") for code in kinds]
        assert sorted(provider.paths) == sorted(paths), "each was asked for once"
        assert await parley.rows("select distinct kind from event where kind like 'media.%'") == [("media.refused",)]
        assert all(parley.gateway.counters.value("media_refused", channel="sms", code=code) == 1 for code in kinds)


async def test_what_may_pass_is_tried_again_later(parley: Running, provider: Provider) -> None:
    kinds = {"provider_down": answers(503), "throttled": answers(429), "bad_credentials": answers(401), "gone": answers(404)}
    paths = {account_path(parley, code): answer for code, answer in kinds.items()}
    provider.files |= paths
    await sends_mms(parley, provider, *paths)
    assert await settled(parley, states=("waiting",), tries=1) == [("waiting", code, "image/png") for code in kinds]
    for due_at, created_at in await parley.rows("select due_at, created_at from media"):
        assert 2_000 <= due_at - created_at <= 60_000
    provider.files |= dict.fromkeys(paths, PICTURE)
    await tried_again(parley)
    assert await settled(parley) == [("stored", None, "image/png")] * len(kinds)


async def test_a_providers_wish_for_later_is_kept_to(parley: Running, provider: Provider) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = answers(503, Retry_After="900")
    await sends_mms(parley, provider, path)
    await settled(parley, states=("waiting",), tries=1)
    due_at, created_at = (await parley.rows("select due_at, created_at from media"))[0]
    assert due_at - created_at >= 900_000


async def test_after_a_day_of_failures_the_last_one_stands(parley: Running, provider: Provider) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = answers(503)
    await sends_mms(parley, provider, path)
    await settled(parley, states=("waiting",), tries=1)
    await parley.gateway.store.write(lambda tx: tx.execute("update media set created_at = created_at - ?", (media.LIFE_MS,)))
    await tried_again(parley)
    assert await settled(parley) == [("refused", "provider_down", "image/png")]


async def test_what_is_announced_but_never_there_is_given_up_after_a_few_tries(parley: Running, provider: Provider) -> None:
    await sends_mms(parley, provider, account_path(parley, "ME1"))
    for tries in range(1, media.GONE_TRIES):
        await settled(parley, states=("waiting",), tries=tries)
        await tried_again(parley)
    assert await settled(parley) == [("refused", "gone", "image/png")]


async def test_a_slow_provider_has_a_few_of_our_hands_and_the_rest_waits(parley: Running, provider: Provider) -> None:
    waiting, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        waiting.release()
        await go_on.wait()
        return web.Response(body=PICTURE)

    paths = [account_path(parley, f"ME{number}") for number in range(AT_ONCE_ON_CHANNEL + 3)]
    provider.files |= dict.fromkeys(paths, slow)
    await sends_mms(parley, provider, *paths)
    async with asyncio.timeout(15):
        for _ in range(AT_ONCE_ON_CHANNEL):
            await waiting.acquire()
    assert await parley.rows("select count(*) from media where state = 'fetching'") == [(AT_ONCE_ON_CHANNEL,)]
    go_on.set()
    assert await settled(parley) == [("stored", None, "image/png")] * len(paths)


async def test_what_an_earlier_life_left_is_taken_up_by_the_next(provider: Provider, tmp_path: Path) -> None:
    async with gateway_at(provider, tmp_path) as parley:
        path = account_path(parley, "ME1")
        provider.files[path] = answers(503)
        await sends_mms(parley, provider, path)
        await settled(parley, states=("waiting",), tries=1)
        now = parley.gateway.clock.now_ms()
        await parley.gateway.store.write(
            lambda tx: tx.execute("update media set state = 'fetching', lease = 'somebody else', due_at = ?", (now + 10**9,))
        )
    provider.files[path] = PICTURE
    async with gateway_at(provider, tmp_path) as parley:
        assert await settled(parley) == [("stored", None, "image/png")]


async def test_who_lost_the_lease_records_nothing(parley: Running, provider: Provider) -> None:
    path = account_path(parley, "ME1")
    provider.files[path] = answers(503)
    await sends_mms(parley, provider, path)
    await settled(parley, states=("waiting",), tries=1)
    store = parley.gateway.store
    soon = parley.gateway.clock.now_ms() + 10**9
    (mine,) = await store.write(lambda tx: rows.claim(tx, soon, "mine", 1))
    (theirs,) = await store.write(lambda tx: rows.claim(tx, soon + rows.LEASE_MS, "theirs", 1))
    stored = {"content_type": "image/png", "digest": "0" * 64, "size": 1, "at": 1}
    assert not await store.write(lambda tx: media.stored(tx, mine, **stored))
    assert await store.write(lambda tx: media.stored(tx, theirs, **stored))
    assert not await store.write(lambda tx: media.failed(tx, mine, "gone", final=True, at=1, retry_after_s=None, jitter=0))
    assert await parley.rows("select state from media") == [("stored",)]
    assert await parley.rows("select count(*) from event where kind like 'media.%'") == [(1,)]


async def test_a_channel_that_is_configured_no_longer_breaks_nothing(provider: Provider, tmp_path: Path) -> None:
    async with gateway_at(provider, tmp_path) as parley:
        await sends_mms(parley, provider, account_path(parley, "ME1"))
        await settled(parley, states=("waiting",), tries=1)
        await parley.gateway.store.write(lambda tx: tx.execute("update media set channel_id = 'gone'"))
        await tried_again(parley)
        await settled(parley, states=("waiting",), tries=2)
        assert await parley.rows("select code from media") == [("no_channel",)]


async def test_the_limits_of_the_installation_hold(provider: Provider, tmp_path: Path) -> None:
    limits = {"media.quota_bytes": len(PICTURE) + 10, "media.refused_types": ["application/zip", "audio/*"]}
    async with gateway_at(provider, tmp_path, **limits) as parley:
        contents = {"ME1": PICTURE, "ME2": b"PK\x03\x04" + b"0" * 5, "ME3": b"OggS" + b"0" * 5}
        for name, content in contents.items():
            provider.files[account_path(parley, name)] = content
            await sends_mms(parley, provider, account_path(parley, name))
            await settled(parley)
        assert await parley.rows("select state, code from media order by id") == [
            ("stored", None),
            ("refused", "type_refused"),
            ("refused", "type_refused"),
        ]
        provider.files[account_path(parley, "ME4")] = png(5, 5)
        await sends_mms(parley, provider, account_path(parley, "ME4"))
        await settled(parley, states=("stored", "refused", "waiting"), tries=1)
        assert parley.gateway.counters.value("media_failures", channel="sms", code="no_room") == 1


async def test_a_full_disk_keeps_no_attachment(provider: Provider, tmp_path: Path) -> None:
    async with gateway_at(provider, tmp_path, **{"media.free_min_bytes": 2**60}) as parley:
        path = account_path(parley, "ME1")
        provider.files[path] = PICTURE
        await sends_mms(parley, provider, path)
        assert await settled(parley, states=("waiting",), tries=1) == [("waiting", "no_room", "image/png")]
