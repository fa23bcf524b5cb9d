"""The chat window on somebody's page: keyboard, screen readers, phones, hostile texts, drops, and a page with a strict policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from tests.browser.chat_user import Chat
from tests.browser.conftest import OpenPage
from tests.gateway.running import Running, running

VECTORS = (
    "<img src=x onerror=alert(1)>",
    "<script>document.title='owned'</script>",
    '"><svg/onload=alert(1)>',
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
    "\u202eevil\u202c &lt;b&gt;",
)


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


def shop(parley: Running) -> str:
    return f"{parley.gateway.url}/simulator/shop"


async def test_a_visitor_talks_with_the_keyboard_alone(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(shop(parley))
    chat = Chat(page)
    launcher = page.get_by_role("button", name="Open chat")
    await launcher.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(chat.input).to_be_focused()
    await chat.greeted()
    await page.keyboard.type("first line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Enter")
    await expect(chat.said("customer")).to_have_text(["first line\nsecond line"])
    await expect(chat.input).to_have_value("")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(launcher).to_be_focused()


async def test_a_screen_reader_hears_what_is_new_and_not_the_history(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(shop(parley))
    chat = Chat(page)
    await chat.open()
    await chat.greeted()
    await expect(chat.log).to_have_attribute("role", "log")
    await expect(chat.log).to_have_attribute("aria-live", "polite")
    await expect(chat.log).to_have_attribute("aria-busy", "false")
    await expect(page.get_by_role("group", name="Choose an answer")).to_have_count(1)
    await expect(page.get_by_role("textbox", name="Write a message")).to_be_visible()


async def test_choices_are_used_once(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(shop(parley))
    chat = Chat(page)
    await chat.open()
    await chat.greeted()
    first = page.locator("parley-chat .choices").first
    await chat.choose("Language")
    await expect(chat.said("customer")).to_have_text(["Language"])
    await expect(first.locator("button:enabled")).to_have_count(0)
    await expect(page.locator("parley-chat .choices button:enabled", has_text="Kiswahili")).to_be_visible()
    await page.reload()
    await expect(first.locator("button:enabled")).to_have_count(0)
    await chat.choose("Kiswahili")
    await expect(chat.said("customer").last).to_have_text("Kiswahili")


async def test_the_thread_and_the_open_window_survive_a_reload_and_tabs_share_them(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(shop(parley))
    chat = Chat(page)
    await chat.open()
    await chat.greeted()
    await chat.say("hello from the first tab")
    await expect(chat.said("customer")).to_have_text(["hello from the first tab"])
    await page.reload()
    await expect(chat.said("customer")).to_have_text(["hello from the first tab"])
    other = await page.context.new_page()
    await other.goto(shop(parley))
    second = Chat(other)
    await second.open()
    await expect(second.said("customer")).to_have_text(["hello from the first tab"])
    await second.say("and from the second")
    await expect(chat.said("customer")).to_have_text(["hello from the first tab", "and from the second"])


async def test_hostile_texts_stay_texts(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(shop(parley))
    title = await page.title()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    chat = Chat(page)
    await chat.open()
    await chat.greeted()
    for number, text in enumerate(VECTORS, 1):
        await chat.say(text)
        await expect(chat.said("customer")).to_have_text([said.strip() for said in VECTORS[:number]])
    await expect(page.locator("parley-chat .log li .bubble *")).to_have_count(0)
    assert await page.title() == title


async def test_what_is_written_without_a_gateway_is_sent_when_it_is_back(tmp_path: Path, open_page: OpenPage) -> None:
    async with running(tmp_path) as parley:
        port = int(parley.gateway.url.rpartition(":")[2])
        page = await open_page(shop(parley))
        chat = Chat(page)
        await chat.open()
        await chat.greeted()
        await chat.say("before")
        await expect(chat.said("customer")).to_have_text(["before"])
    await expect(page.locator("parley-chat")).to_have_attribute("data-state", "offline")
    await chat.say("one")
    await chat.say("two")
    await expect(chat.waiting.locator(".bubble")).to_have_text(["one", "two"])
    await expect(page.locator("parley-chat .notice")).to_contain_text("No connection")
    async with running(tmp_path, overrides={"server.port": port}) as parley:
        await expect(chat.said("customer")).to_have_text(["before", "one", "two"], timeout=30_000)
        await expect(chat.waiting).to_have_count(0)
        await expect(page.locator("parley-chat .notice")).to_be_hidden()
        rows = await parley.rows("select text from message where direction = 'inbound' order by number")
        assert rows == [("before",), ("one",), ("two",)]


async def test_a_phone_shows_the_window_over_the_whole_screen(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(shop(parley), width=390, height=844, has_touch=True, is_mobile=True, reduced_motion="reduce")
    chat = Chat(page)
    await chat.open()
    await chat.greeted()
    box = await page.locator("parley-chat .panel").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    for button in await page.locator("parley-chat .choices button, parley-chat .close, parley-chat .send").all():
        size = await button.bounding_box()
        assert size is not None
        assert size["height"] >= 36
    await page.get_by_role("button", name="Close chat").focus()
    await page.keyboard.press("Shift+Tab")
    assert await page.evaluate("document.activeElement.localName") == "parley-chat", "the focus left a window that covers everything"


@asynccontextmanager
async def foreign_site(parley: Running, html: str, policy: str) -> AsyncIterator[str]:
    """Somebody else's page on another origin."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": policy})

    app = web.Application()
    app.router.add_get("/", page)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


STYLES = "* { color: red !important; font-size: 40px !important } button { display: none !important }"


async def test_a_page_with_a_strict_policy_and_rude_styles_shows_it_unharmed(
    tmp_path: Path, open_page: OpenPage, unused_tcp_port: int
) -> None:
    config = tmp_path / "parley.toml"
    config.write_text((Path("config") / "parley.toml").read_text().replace('["own"]', f'["own", "http://127.0.0.1:{unused_tcp_port}"]'))
    async with running(tmp_path / "data", config=config) as parley:
        url = parley.gateway.url
        html = (
            '<!doctype html><html lang="fr" dir="rtl"><title>Site</title><link rel="stylesheet" href="/style.css"><p>Une page'
            f'<script src="{url}/webchat/widget.js" data-channel="web" data-accent="#ffd400" async></script>'
        )
        policy = f"default-src 'none'; script-src {url}; connect-src {url} {url.replace('http', 'ws')}; style-src 'self'"
        app = web.Application()

        async def page_of_it(_: web.Request) -> web.Response:
            return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": policy})

        async def style_of_it(_: web.Request) -> web.Response:
            return web.Response(text=STYLES, content_type="text/css")

        app.router.add_get("/", page_of_it)
        app.router.add_get("/style.css", style_of_it)
        async with TestServer(app, port=unused_tcp_port) as server:
            page = await open_page(str(server.make_url("/")))
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            chat = Chat(page)
            await chat.open()
            await expect(chat.said("bot").first).to_be_visible()
            assert await chat.said("bot").first.evaluate("element => getComputedStyle(element).fontSize") == "15px"
            await expect(page.get_by_role("textbox", name="Écrivez un message")).to_be_visible()
            launcher_side = await page.locator("parley-chat .panel").bounding_box()
            assert launcher_side is not None
            assert launcher_side["x"] < 100, "on a page from right to left it stands on the left"
            header = page.locator("parley-chat header")
            assert await header.evaluate("element => getComputedStyle(element).color") == "rgb(0, 0, 0)", "black reads better on yellow"
            assert said == []


async def test_a_site_that_is_not_listed_gets_a_plain_word(parley: Running, open_page: OpenPage) -> None:
    html = f'<!doctype html><html lang="en"><title>x</title><body><script src="{parley.gateway.url}/webchat/widget.js" async></script>'
    async with foreign_site(parley, html, "") as url:
        page = await open_page(url)
        await page.locator("parley-chat .launcher").click()
        await expect(page.locator("parley-chat .notice")).to_be_visible()
        assert await parley.rows("select count(*) from ticket") == [(0,)]
