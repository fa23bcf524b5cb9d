"""What customers send cannot run, nor reach out, in a real browser: each vector by itself, by each of the defences alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, Request, expect

from channels.mail.html_text import safe
from core.model.address import Address, AddressKind
from core.model.inbound import InboundMessage, Media, RawRequest
from gateway.desk.mails import HEADERS
from gateway.receive import take_in
from tests.browser.conftest import TIMEOUT_MS, OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.desk.test_work import asks_for_an_agent
from tests.gateway.media.provider import OURS
from tests.gateway.running import ANNA, running
from tests.security.vectors import FAMILIES, VECTORS

FRAME = '<iframe src="/v/{}" width="60" height="40"></iframe>'
HARMLESS = {"http", "https", "mailto", "tel", "cid"}
BLOCKED = {"csp", "origin"}
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
LINK = re.compile(r"""\b(?:href|src)\s*=\s*["']?\s*([^"'\s>:/]*):""")


@dataclass(frozen=True, slots=True)
class Seen:
    """Which vectors ran, and which asked another machine for something."""

    ran: set[int]
    asked: set[int]


def numbered(vector: str, number: int) -> str:
    """Return a vector that says which one it is."""
    return vector.replace("op.hacked=1", f"op.hacked[{number}]=1").replace("192.0.2.1/probe", f"192.0.2.1/probe{number}")


@asynccontextmanager
async def shown(documents: Iterable[str], headers: Mapping[str, str]) -> AsyncIterator[str]:
    """Serve a page with a frame for each document, and give its address."""
    pages = dict(enumerate(documents))
    frames = "".join(FRAME.format(number) for number in pages)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html><script>window.hacked={{}}</script>{frames}", content_type="text/html")

    async def one(request: web.Request) -> web.Response:
        content = pages[int(request.match_info["number"])].encode("utf-8", "surrogatepass")
        return web.Response(body=content, content_type="text/html", charset="utf-8", headers=headers)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get(r"/v/{number:\d+}", one)])
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}/".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def looked_at(browser: Browser, documents: Iterable[str], headers: Mapping[str, str] | None = None) -> Seen:
    """Open the documents side by side and return what came of them."""
    asked: set[int] = set()
    context = await browser.new_context()
    try:
        page = await context.new_page()
        page.set_default_timeout(4 * TIMEOUT_MS)
        context.on("requestfinished", lambda request: asked.update(_number(request)))
        context.on("requestfailed", lambda request: asked.update(_number(request)))
        async with shown(documents, headers or {}) as url:
            await page.goto(url, wait_until="load")
            for _ in range(3):
                await page.evaluate(PAINTED)  # what happens only when something is shown, such as the focus
            ran = {int(number) for number in await page.evaluate("Object.keys(window.hacked)")}
    finally:
        await context.close()
    return Seen(ran, asked)


def _number(request: Request) -> list[int]:
    """Return which vector a request is of; none for one that the policy of its page kept from leaving."""
    _, mark, number = request.url.partition("192.0.2.1/probe")
    if request.failure in BLOCKED:
        return []
    digits = "".join(char for char in number[:4] if char.isdigit())
    return [int(digits)] if mark and digits else []


def test_there_are_more_than_two_hundred_in_families_each_once() -> None:
    assert len(VECTORS) == len(set(VECTORS)) > 250
    assert all(len(family) >= 8 for family in FAMILIES.values())


async def test_the_vectors_bite(browser: Browser) -> None:
    """The teeth: in a page without any defence many of them run, and many others reach out."""
    seen = await looked_at(browser, [f"<p>x</p>{numbered(vector, number)}" for number, vector in enumerate(VECTORS)])
    assert len(seen.ran) > 80
    assert len(seen.asked) > 100


async def test_what_is_left_of_a_mail_runs_nothing_even_where_nothing_else_protects(browser: Browser) -> None:
    left = [safe(numbered(vector, number)) for number, vector in enumerate(VECTORS)]
    assert {link for document in left for link in LINK.findall(document)} <= HARMLESS
    assert not {link for document in VECTORS for link in LINK.findall(document)} <= HARMLESS
    assert await looked_at(browser, left) == Seen(set(), set())


@pytest.mark.long
async def test_the_headers_of_a_mail_let_nothing_run_or_out_even_if_nothing_were_taken_out(browser: Browser) -> None:
    """A frame with the sandbox is a process of its own, so that only what needs it has it here: pages that lead elsewhere by themselves."""
    raw = [f"<p>x</p>{numbered(vector, number)}" for number, vector in enumerate(VECTORS)]
    policy = HEADERS["Content-Security-Policy"]
    assert "sandbox;" in policy
    without = await looked_at(browser, raw, {**HEADERS, "Content-Security-Policy": policy.replace("sandbox;", "")})
    assert without.ran == set()
    assert 0 < len(without.asked) < 20
    assert await looked_at(browser, [raw[number] for number in sorted(without.asked)], HEADERS) == Seen(set(), set())


async def everything_shown(page: Page) -> None:
    """Ask for what was said earlier until all of it is there."""
    said = page.locator(".said.customer")
    while await said.count() <= len(VECTORS):
        before = await said.count()
        await page.get_by_role("button", name="Show earlier").click()
        await expect(said).not_to_have_count(before)


async def test_every_text_at_the_desk_is_only_text(tmp_path: Path, open_page: OpenPage) -> None:
    sender, ours = Address(AddressKind.MSISDN, ANNA), Address(AddressKind.MSISDN, OURS)
    async with running(tmp_path) as parley:
        await asks_for_an_agent(parley)
        gateway = parley.gateway
        for number, vector in enumerate(VECTORS):
            text = vector.replace("\x00", "")
            media = (Media("document", name=text), Media("contact", values={"name": text, "phone": text}), Media("location", caption=text))
            said = InboundMessage(f"m{number}", sender, ours, text, media=media, profile_name=text)
            request = RawRequest("POST", "", {}, b"raw", gateway.clock.now_ms())
            await take_in(gateway, gateway.channels["sms"], request, [said])
        desk = await desk_of(parley, open_page)
        await desk.open_first()
        await everything_shown(desk.page)
        assert await desk.page.evaluate("window.hacked") is None
        assert await desk.page.locator("#timeline script, #timeline iframe, #timeline svg image, #timeline style").count() == 0
