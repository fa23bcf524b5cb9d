"""An agent at the desk, as tests play one: mostly by keyboard."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.gateway.desk.signed import passwords
from tests.gateway.running import Running


class Desk:
    """The desk as an agent uses it; `open_page` fails the test for anything thrown, or asked of another machine."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def sign_in(self, parley: Running, login: str = "agent") -> None:
        """Sign in by keyboard, once the page waits for it."""
        await expect(self.page.get_by_label("Login")).to_be_focused()
        await self.page.keyboard.type(login)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(passwords(parley)[login])
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("#connection")).to_have_text("Live")

    async def open_first(self) -> None:
        """Open the first conversation of the list by keyboard."""
        await expect(self.page.locator(".line").first).to_be_visible()
        await self.page.keyboard.press("j")
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator(".said").first).to_be_visible()

    async def claim_first(self) -> None:
        """Open and claim the first conversation by keyboard; afterwards the reply box has the focus."""
        await self.open_first()
        await self.page.keyboard.press("a")
        await expect(self.page.locator("#subtitle")).to_contain_text("With you")
        await expect(self.page.get_by_label("Reply to the customer")).to_be_focused()

    async def send(self, text: str) -> None:
        """Type into the box that has the focus and send."""
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Control+Enter")


async def desk_of(parley: Running, open_page: OpenPage, login: str = "agent", **options: Any) -> Desk:
    """Open the desk in a browser of its own and sign in."""
    desk = Desk(await open_page(f"{parley.gateway.url}/desk", **options))
    await desk.sign_in(parley, login)
    return desk
