"""What a visitor does with the chat on a page, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import FrameLocator, Locator, Page, expect


@dataclass
class Chat:
    """The chat on a page or in a frame of it; selectors reach through its shadow root."""

    place: Page | FrameLocator

    @property
    def log(self) -> Locator:
        return self.place.locator("parley-chat .log").first

    @property
    def input(self) -> Locator:
        return self.place.locator("parley-chat textarea")

    @property
    def waiting(self) -> Locator:
        return self.place.locator("parley-chat .waiting li")

    async def open(self) -> None:
        await self.place.locator("parley-chat .launcher").click()
        await expect(self.place.locator("parley-chat")).to_have_attribute("data-state", "online")

    async def greeted(self) -> None:
        await expect(self.said("bot").first).to_contain_text("How can we help?")

    async def say(self, text: str) -> None:
        await self.input.fill(text)
        await self.input.press("Enter")

    async def choose(self, label: str) -> None:
        await self.place.locator("parley-chat .choices button:enabled", has_text=label).click()

    def said(self, by: str) -> Locator:
        """Return the bubbles of `customer`, `bot` or `agent`."""
        return self.log.locator(f"li.{by} .bubble")
