"""What a customer does with the simulated phone, step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.async_api import Locator, Page, expect

_ASKED_TO_WAIT = r"One moment, please\.|It takes a little longer\."


@dataclass
class Phone:
    """The phone on the simulator's page: text messages and codes to dial."""

    page: Page

    @property
    def got(self) -> Locator:
        return self.page.locator("#texts .got .bubble")

    @property
    def sent(self) -> Locator:
        return self.page.locator("#texts .sent .bubble")

    @property
    def screen(self) -> Locator:
        return self.page.locator("#session-text:not(.running)")

    async def text(self, text: str) -> None:
        await self.page.get_by_role("tab", name="Messages").click()
        await self.page.get_by_label("Text message").fill(text)
        await self.page.get_by_label("Text message").press("Enter")

    async def dial(self, code: str) -> None:
        await self.page.get_by_role("tab", name="Dial").click()
        await self.page.get_by_label("Number to dial").fill(code)
        await self.page.get_by_role("button", name="Dial", exact=True).click()

    async def answer(self, text: str) -> None:
        await self.page.locator("#session-input:enabled").fill(text)
        await self.page.locator("#session-input").press("Enter")

    async def shows(self, words: str) -> None:
        await expect(self.screen).to_contain_text(words)

    async def code(self) -> str:
        """Return the newest code that was sent to this phone."""
        text = self.page.locator("#texts .got .bubble", has_text="your code is").last
        await expect(text).to_be_attached()
        return (await text.inner_text()).partition("your code is ")[2][:6]


@dataclass
class Call:
    """A call from the phone. The clock of the page stands still, so that no test has to be as quick as a caller; `pass_time` moves it."""

    page: Page

    async def dial(self, number: str) -> None:
        await self.page.clock.install()
        await self.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
        await Phone(self.page).dial(number)

    async def press(self, key: str) -> None:
        await self.page.locator(f'[data-tone="{key}"]').click()

    async def say(self, words: str) -> None:
        await self.page.get_by_label("Say something").fill(words)
        await self.page.get_by_label("Say something").press("Enter")

    async def hears(self, words: str) -> None:
        """Wait until these words are what was said last; who is asked to wait meanwhile, on a machine that is slow, waits."""
        said = self.page.locator("#subtitles .said")
        while True:
            await expect(said.last).to_contain_text(re.compile(f"{re.escape(words)}|{_ASKED_TO_WAIT}"))
            if words in await said.last.inner_text():
                return
            heard = await said.count()
            await self.pass_time(10)
            await expect(said).not_to_have_count(heard)

    async def is_(self, state: str) -> None:
        await expect(self.page.locator("#call")).to_have_attribute("data-state", state)

    async def pass_time(self, seconds: int) -> None:
        await self.page.clock.run_for(seconds * 1_000)


@dataclass
class WhatsApp:
    """The phone's WhatsApp."""

    page: Page

    @property
    def got(self) -> Locator:
        return self.page.locator("#wa-texts .got .bubble")

    async def open(self) -> None:
        await self.page.get_by_role("tab", name="WhatsApp").click()

    async def write(self, text: str) -> None:
        await self.page.get_by_label("WhatsApp message").fill(text)
        await self.page.get_by_label("WhatsApp message").press("Enter")

    async def shows(self, words: str) -> None:
        await expect(self.got.last).to_contain_text(words)

    async def press(self, title: str) -> None:
        await self.page.locator("#wa-texts .quick").last.get_by_role("button", name=title, exact=True).click()


@dataclass
class Mailbox:
    """The phone's mailbox."""

    page: Page

    async def open(self) -> None:
        await self.page.get_by_role("tab", name="Mail").click()

    async def write(self, subject: str, text: str, *, picture: bool = False) -> None:
        await self.page.get_by_role("button", name="New mail").click()
        await self.page.get_by_label("Subject").fill(subject)
        await self.page.get_by_label("Mail text").fill(text)
        await self.page.get_by_label("Attach a picture").set_checked(picture)
        await self.page.locator("#mail-send").click()

    async def read(self, words: str) -> None:
        """Open the new mail with these words in it."""
        await self.page.locator("#mails .unread", has_text=words).click()
        await expect(self.page.locator("#letter-text")).to_contain_text(words)

    async def reply(self, text: str, how: str = "Reply") -> None:
        if how != "Reply":
            await self.page.get_by_text("Other answers").click()
        await self.page.get_by_role("button", name=how, exact=True).click()
        await self.page.get_by_label("Mail text").fill(text)
        await self.page.locator("#mail-send").click()
        await expect(self.page.locator("#mails")).to_be_visible()
