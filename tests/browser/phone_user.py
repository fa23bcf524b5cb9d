"""What a customer does with the simulated phone, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect


@dataclass
class Phone:
    """The phone on the simulator's page."""

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
