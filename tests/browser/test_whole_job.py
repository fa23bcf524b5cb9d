"""The main job from end to end, in a browser and against a gateway process of its own: once undisturbed, once killed in every step.

The customer texts, dials and chats; an agent claims, answers and closes; what the record then says must be the same in both runs.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FrameLocator, Locator, Page, WebSocket, expect

from tests.browser.chat_user import Chat
from tests.browser.conftest import OpenPage
from tests.browser.phone_user import Phone
from tests.gateway.running import ANNA
from tests.house import gateway_process as process

BACK_MS = 30_000  # until a page has found a gateway that was started again
LOOK_MS = 2_000
REPLY = "Good day, your line is fine now."


@dataclass
class Job:
    """A gateway that is killed while a step is under way, and started again on the same port."""

    folder: Path
    killed: bool
    page: Page = field(init=False)
    running: process.Process = field(init=False)
    deaths: int = 0
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self, port: str = "0") -> None:
        self.running = self._stack.enter_context(process.gateway(self.folder, "--data", str(self.folder / "data"), "--port", port))

    def stop(self) -> None:
        self._stack.close()

    async def during(self, asked: str, act: Callable[[], Awaitable[object]]) -> bool:
        """Act; kill the gateway as soon as the browser asks for `asked`, and start it again. Return whether it was killed."""
        if not self.killed:
            await act()
            return False
        sent = asyncio.Event()

        def kill(_: object) -> None:
            self.running.popen.kill()
            sent.set()

        def watch(request: Any) -> None:
            if request.method == "POST" and re.search(asked, request.url):
                kill(request)

        self.page.on("request", watch)
        try:
            await act()
            async with asyncio.timeout(10):
                await sent.wait()
        finally:
            self.page.remove_listener("request", watch)
        await self._again()
        return True

    async def during_frame(self, sockets: list[WebSocket], act: Callable[[], Awaitable[object]]) -> bool:
        """Act; kill the gateway as soon as a frame leaves on one of the sockets, and start it again."""
        if not self.killed:
            await act()
            return False
        sent = asyncio.Event()

        def kill(_: object) -> None:
            self.running.popen.kill()
            sent.set()

        for socket in sockets:
            socket.once("framesent", kill)
        await act()
        async with asyncio.timeout(10):
            await sent.wait()
        await self._again()
        return True

    async def _again(self) -> None:
        self.deaths += 1
        await asyncio.to_thread(self.running.popen.wait, 10)
        await asyncio.to_thread(self.start, self.running.url.rpartition(":")[2])

    def shown(self, *arguments: str) -> Any:
        """Return what a command says about the record while the gateway runs."""
        done: subprocess.CompletedProcess[str] = process.command(
            *arguments, "--json", "--data", str(self.folder / "data"), folder=self.folder
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def paid(self) -> list[tuple[str, int]]:
        """Return what the demo operator's books hold of top-ups: kind and cents."""
        with sqlite3.connect(f"file:{self.folder / 'data' / 'demo-bss.sqlite3'}?mode=ro", uri=True) as books:
            rows = books.execute("select kind, amount_cents from payment").fetchall()
        books.close()
        return rows


async def text_for_the_balance(job: Job, phone: Phone) -> None:
    if await job.during("/simulator/api/sms$", lambda: phone.text("balance")):
        await expect(phone.page.locator("#texts .refused")).to_have_count(0, timeout=BACK_MS)
        await phone.text("balance")  # the phone said that the network did not answer
    await expect(phone.got.filter(has_text="KES").first).to_contain_text("Your balance is KES", timeout=BACK_MS)


async def top_up_by_ussd(job: Job, phone: Phone) -> None:
    await phone.dial("*384*100*2*50#")
    await phone.shows("Add KES 50")
    if await job.during("/simulator/api/ussd/", lambda: phone.answer("1")):
        await expect(phone.screen).to_have_text(re.compile("network does not answer|KES 50 added"))
        if "does not answer" in await phone.screen.inner_text():
            await phone.page.get_by_role("button", name="OK").click()
            await phone.dial("*384*100#")
    await follow_until_paid(phone)
    assert job.paid() == [("topup", 50_00)]


async def follow_until_paid(phone: Phone) -> None:
    """Answer the screens as somebody does who wants one top-up of KES 50, and no second."""
    for _ in range(6):
        await expect(phone.screen).not_to_be_empty(timeout=BACK_MS)
        screen = await phone.screen.inner_text()
        if "KES 50 added" in screen:
            await phone.page.get_by_role("button", name="OK").click()
            return
        if "How can we help?" in screen or "text you" in screen:
            await phone.page.get_by_role("button", name=re.compile("Cancel|OK")).first.click()
            await phone.page.get_by_role("tab", name="Messages").click()
            await expect(phone.got.filter(has_text="KES 50 added")).to_have_count(1, timeout=BACK_MS)
            return
        await phone.answer("1")  # continue; yes
        await expect(phone.page.locator("#session-text")).not_to_have_text(screen)
    raise AssertionError("the menu does not lead to a top-up")


async def chat_and_ask_for_an_agent(job: Job, chat: Chat, phone: Phone, sockets: list[WebSocket]) -> None:
    await chat.open()
    await chat.greeted()
    await chat.say("balance")
    await expect(chat.said("bot").last).to_contain_text("phone number")
    await chat.say(ANNA)
    await phone.page.get_by_role("tab", name="Messages").click()
    code = phone.got.filter(has_text=re.compile(r"\b[0-9]{6}\b")).last
    await expect(code).to_be_visible(timeout=BACK_MS)
    await chat.say(re.findall(r"\b[0-9]{6}\b", await code.inner_text())[0])
    await expect(chat.said("bot").filter(has_text="KES").last).to_be_visible()
    await job.during_frame(sockets, lambda: chat.say("agent"))
    await expect(chat.said("bot").last).to_contain_text("colleague", timeout=BACK_MS)
    await expect(chat.said("customer").filter(has_text=re.compile("^agent$"))).to_have_count(1)


async def claim_answer_and_close(job: Job, chat: Chat, desk: FrameLocator) -> None:
    live = desk.locator("#connection")
    await job.page.get_by_role("button", name="Sign in as agent").click()
    await expect(live).to_have_text("Live")
    await desk.locator(".line").first.click()
    mine = desk.locator("#subtitle", has_text="With you")
    claim = desk.locator("#acts").get_by_role("button", name="Claim")
    if await job.during("/claim$", claim.click):
        await expect(live).to_have_text("Live", timeout=BACK_MS)
        if not await appears(mine):
            await claim.click()
    await expect(mine).to_be_visible()

    box = desk.get_by_label("Reply to the customer")
    await box.fill(REPLY)
    if await job.during("/reply$", lambda: box.press("Control+Enter")):
        await expect(live).to_have_text("Live", timeout=BACK_MS)
        if not await appears(desk.locator(".said.agent .bubble")):
            await box.press("Control+Enter")
    await expect(chat.said("agent")).to_have_text([REPLY], timeout=BACK_MS)
    await chat.say("thank you")
    await expect(desk.locator(".said.customer .bubble").last).to_have_text("thank you")

    async def close() -> None:
        await desk.locator("#acts").get_by_role("button", name="Close").click()
        await desk.get_by_role("button", name="Close conversation").click()

    closed = desk.locator("#subtitle", has_text="Closed")
    if await job.during("/close$", close):
        await expect(live).to_have_text("Live", timeout=BACK_MS)
        if not await appears(closed):
            await close()
    await expect(closed).to_be_visible()


async def appears(locator: Locator) -> bool:
    """Return whether something is to be seen before an agent would think that it did not work."""
    try:
        await expect(locator).to_be_visible(timeout=LOOK_MS)
    except AssertionError:
        return False
    return True


@pytest.mark.first
@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "killed in every step"])
async def test_the_whole_job(tmp_path: Path, open_page: OpenPage, *, killed: bool) -> None:
    job = Job(tmp_path, killed)
    sockets: list[WebSocket] = []
    try:
        await asyncio.to_thread(job.start)
        page = job.page = await open_page("about:blank", width=1600, height=1000)
        page.on("websocket", lambda socket: sockets.append(socket) if "/webchat/" in socket.url else None)
        await page.goto(job.running.url)
        phone, chat = Phone(page), Chat(page.frame_locator("#shop"))
        await text_for_the_balance(job, phone)
        await top_up_by_ussd(job, phone)
        await chat_and_ask_for_an_agent(job, chat, phone, sockets)
        await claim_answer_and_close(job, chat, page.frame_locator("#desk-frame"))

        person = await asyncio.to_thread(job.shown, "customer", ANNA)
        assert [one["channel_id"] for one in person["interactions"]] == ["web", "ussd", "sms"], "newest first"
        newest, middle, oldest = person["interactions"]
        assert (newest["previous_id"], middle["previous_id"], oldest["previous_id"]) == (middle["id"], oldest["id"], None)
        assert (newest["status"], newest["close_reason"]) == ("closed", "agent")
        assert {one["value"] for one in person["addresses"]} > {ANNA}
        said = [one["text"] for one in person["messages"]]
        assert [said.count(text) for text in ("agent", REPLY, "thank you")] == [1, 1, 1]
        assert job.paid() == [("topup", 50_00)]
        assert job.deaths == (6 if killed else 0)
    finally:
        await asyncio.to_thread(job.stop)
