"""What customers send along, as an agent sees it: it comes by itself, is looked at, listened to or saved, and never runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import expect

from gateway.simulator.twilio_files import recording
from tests.browser.chat_user import Chat
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.media.provider import Provider, account_path, answers, gateway_at, png, sends_mms, settled
from tests.gateway.running import Running

PICTURE = png(640, 400)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as started:
        yield started


@pytest.fixture
async def parley(provider: Provider, tmp_path: Path) -> AsyncIterator[Running]:
    async with gateway_at(provider, tmp_path) as started:
        yield started


async def test_a_picture_shows_itself_when_it_has_come(parley: Running, provider: Provider, open_page: OpenPage) -> None:
    go_on = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await go_on.wait()
        return web.Response(body=PICTURE)

    path = account_path(parley, "ME1")
    provider.files[path] = slow
    await sends_mms(parley, provider, path, text="agent")
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    figure = desk.page.locator(".attachment")
    await expect(figure).to_have_text("Picture is being fetched")
    go_on.set()
    await expect(figure.locator("img")).to_be_visible()
    await expect(figure.locator("img")).to_have_js_property("naturalWidth", 640)
    await expect(desk.page.locator("#jump")).to_be_hidden()
    async with desk.page.context.expect_page() as opened:
        await figure.locator("a").focus()
        await desk.page.keyboard.press("Enter")
    shown = await opened.value
    await shown.wait_for_load_state()
    assert await shown.evaluate("document.images[0].naturalWidth") == 640


async def test_sounds_files_and_failures_each_have_their_form(parley: Running, provider: Provider, open_page: OpenPage) -> None:
    contents = {
        "picture": PICTURE,
        "voice": recording(1),
        "page": b"<script>document.title='canary'</script>",
        "late": answers(410),
    }
    paths = {account_path(parley, name): content for name, content in contents.items()}
    provider.files |= paths
    await sends_mms(parley, provider, *paths, text="agent")
    await settled(parley)
    desk = await desk_of(parley, open_page, width=390, height=844)
    await desk.open_first()
    figures = desk.page.locator(".attachment")
    await expect(figures).to_have_count(4)
    await expect(figures.nth(0).locator("img")).to_have_js_property("naturalWidth", 640)
    await expect(figures.nth(1).locator("audio")).to_have_js_property("readyState", 4)
    await expect(figures.nth(2).locator("a.file")).to_contain_text("40 bytes")
    await expect(figures.nth(3)).to_have_text("Picture could not be fetched: the provider does not have it any more")
    async with desk.page.expect_download() as download:
        await figures.nth(2).locator("a.file").click()
    assert await (await download.value).path()
    assert "canary" not in await desk.page.title()
    wide = await desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


async def test_a_visitor_sends_a_picture_and_both_see_it(parley: Running, open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page(f"{parley.gateway.url}/simulator/shop")
    chat = Chat(page)
    await chat.open()
    await chat.say("agent")
    await expect(chat.said("bot").last).to_be_visible()
    picture, program = tmp_path / "my photo.png", tmp_path / "page.html"
    picture.write_bytes(PICTURE)
    program.write_bytes(b"<script>alert(1)</script>")
    await page.locator("parley-chat input[type=file]").set_input_files(picture)
    await expect(page.locator("parley-chat .log .customer .file img")).to_have_js_property("naturalWidth", 640)
    await expect(chat.waiting).to_have_count(0)
    await page.locator("parley-chat input[type=file]").set_input_files(program)
    await expect(chat.waiting).to_contain_text("Files of this kind are not taken")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Save: my photo.png").click()
    assert (await download.value).suggested_filename == "my photo.png"
    desk = await desk_of(parley, open_page)
    await desk.open_first()
    await expect(desk.page.locator(".attachment img")).to_have_js_property("naturalWidth", 640)
