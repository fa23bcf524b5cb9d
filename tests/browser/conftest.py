"""A real Chromium for tests that look at pages as people do; a page that throws, or asks another machine, fails its test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
TIMEOUT_MS = 15_000

OpenPage = Callable[..., Awaitable[Page]]

expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the browser."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def _function_scoped_runner(_session_scoped_runner: asyncio.Runner) -> asyncio.Runner:
    """Run the tests of this folder on one loop: a browser belongs to the loop on which it was started, and starting one takes long."""
    return _session_scoped_runner


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One browser for each process of tests; what a test opens, it opens in a context of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        yield browser
        await browser.close()


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Open an address in a fresh context: `await open_page(url, width=390, height=844, color_scheme="dark")`."""
    wrong: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_page(url: str, *, width: int = 1280, height: int = 720, **context: Any) -> Page:
        contexts.append(await browser.new_context(viewport={"width": width, "height": height}, **context))
        page = await contexts[-1].new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
        page.on("request", lambda request: _watch(request.url, wrong))
        await page.goto(url)
        return page

    yield open_page
    for opened in contexts:
        await opened.close()
    assert not wrong, wrong


def _watch(url: str, wrong: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")):
        wrong.append(f"asked for {url}")
