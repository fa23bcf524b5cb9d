"""An agent attaches files to replies, by mouse, keyboard, clipboard and drop, and customers see them on their devices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.chat_user import Chat
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import Desk, desk_of
from tests.browser.phone_user import WhatsApp
from tests.gateway.media.provider import png
from tests.gateway.running import ANNA, Running, running

PICTURE = png(320, 200)
GIVES_A_FILE = """
([selector, event, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "mast.png", { type: "image/png" }));
  const name = event === "paste" ? "clipboardData" : "dataTransfer";
  const made = event === "paste" ? ClipboardEvent : DragEvent;
  document.querySelector(selector).dispatchEvent(new made(event, { [name]: data, bubbles: true, cancelable: true }));
}
"""


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "the mast.png"
    path.write_bytes(PICTURE)
    return path


async def attaches(page: Page, file: Path) -> None:
    """Choose a file by the paper clip, and wait until it is there."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach a file").click()
    await (await chooser.value).set_files(file)
    await expect(page.locator(".attaching .name")).to_have_text(file.name)
    await expect(page.locator(".attaching progress")).to_be_hidden()
    await expect(page.get_by_label("Reply to the customer")).to_be_focused()


async def given(page: Page, event: str, selector: str) -> None:
    await page.evaluate(GIVES_A_FILE, [selector, event, list(PICTURE)])
    await expect(page.locator(".attaching .name")).to_have_text("mast.png")
    await expect(page.locator(".attaching progress")).to_be_hidden()


async def test_a_visitor_and_a_person_on_whatsapp_see_what_the_agent_attached(parley: Running, open_page: OpenPage, picture: Path) -> None:
    shop = await open_page(f"{parley.gateway.url}/simulator/shop")
    chat = Chat(shop)
    await chat.open()
    await chat.say("agent")
    await expect(chat.said("bot").last).to_be_visible()
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await attaches(desk.page, picture)
    await expect(desk.page.locator(".attaching canvas")).to_be_visible()
    await desk.send("This is where it stands.")
    await expect(desk.page.locator(".said.agent .attachment img")).to_have_js_property("naturalWidth", 320)
    await expect(desk.page.locator(".attaching")).to_be_hidden()
    await expect(chat.said("agent")).to_have_text("This is where it stands.")
    await expect(shop.locator("parley-chat .log .agent .file img")).to_have_js_property("naturalWidth", 320)

    phone = await open_page(parley.gateway.url)
    whatsapp = WhatsApp(phone)
    await whatsapp.open()
    await whatsapp.write("agent")
    await expect(whatsapp.got.last).to_be_visible()
    await desk.page.locator("[data-tab=queue]").click()
    await desk.claim_first()
    await attaches(desk.page, picture)
    await desk.page.keyboard.press("Control+Enter")
    await expect(desk.page.locator(".said.agent .attachment img")).to_have_js_property("naturalWidth", 320)
    await expect(desk.page.locator("[data-tab=mine]")).to_have_attribute("aria-pressed", "true")
    await expect(desk.page.locator('.line[aria-current="true"] .excerpt')).to_have_text("You: Picture")
    await expect(phone.locator("#wa-texts .got img.got-file")).to_have_js_property("naturalWidth", 320)


async def test_files_are_pasted_dropped_and_taken_back_and_refusals_are_sentences(
    parley: Running, open_page: OpenPage, tmp_path: Path
) -> None:
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(f"whatsapp:{ANNA}", "whatsapp:+254711082000", "agent")
    desk = await desk_of(parley, open_page, width=390, height=844)
    await desk.claim_first()
    page, send = desk.page, desk.page.get_by_role("button", name="Send")
    for event, selector in (("paste", "#reply-box"), ("drop", "#thread")):
        await given(page, event, selector)
        await expect(send).to_be_enabled()
        await page.get_by_role("button", name="Remove mast.png").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".attaching")).to_be_hidden()
        await expect(page.get_by_label("Reply to the customer")).to_be_focused()
        await expect(send).to_be_disabled()
    bill, program = tmp_path / "bill.pdf", tmp_path / "picture.png"
    bill.write_bytes(b"%PDF-1.7 bill")
    program.write_bytes(b"<script>document.title='canary'</script>")
    await attaches(page, program)
    await expect(page.locator(".attaching .size")).to_have_text("Files of this kind are not taken.")
    await expect(send).to_be_disabled()
    await attaches(page, bill)
    await expect(send).to_be_enabled()
    await page.get_by_label("Reply to the customer").fill("Your bill")
    await expect(page.locator("#count")).to_have_text("No text can go beside this file: send one after the other.")
    await expect(send).to_be_disabled()
    await page.get_by_label("Reply to the customer").fill("")
    await send.click()
    await expect(page.locator(".said.agent .attachment a.file")).to_contain_text("bill.pdf")
    assert "canary" not in await page.title()
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


async def test_where_no_file_can_go_the_paper_clip_says_why(parley: Running, open_page: OpenPage) -> None:
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(ANNA, "+254711082000", "agent")
    desk: Desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.page.keyboard.press("Tab")
    clip = desk.page.get_by_role("button", name="Attach a file")
    await expect(clip).to_be_focused()
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator(".attach-why")).to_have_text("Files cannot be sent by SMS here.")
    await desk.page.get_by_role("button", name="Note", exact=True).click()
    await expect(clip).to_be_hidden()
