"""The language in which people are answered who have chosen none: that of their page or program, where it is offered."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.running import running
from tests.gateway.webchat_client import Window

VISITORS = "select p.language from party p join contact_medium m on m.party_id = p.id where m.kind = 'visitor'"


async def test_a_visitor_of_a_french_page_is_greeted_and_answered_in_french_until_another_language_is_chosen(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, Window(parley.gateway.url) as window:
        await window.open()
        await window.send(type="joined", id="j1", language="fr-CA")
        await window.until("ack", id="j1")
        welcome = window.messages[0] if window.messages else await window.until("message")
        assert "Bienvenue" in welcome["text"]
        await window.send(type="message", id="m1", text="english", language="fr-CA")
        await window.until("message", direction="outbound")
        assert await parley.rows(VISITORS) == [("en",)]
        await window.send(type="message", id="m2", text="menu", language="fr-CA")
        await window.until("message", direction="inbound", id="m2")
        assert await parley.rows(VISITORS) == [("en",)]


async def test_a_language_that_is_not_offered_or_is_none_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        for number, language in enumerate(("de-DE", "f", "", "fro")):
            async with Window(parley.gateway.url) as window:
                await window.open()
                await window.send(type="message", id=f"m{number}", text="menu", language=language)
                answer = await window.until("message", direction="outbound")
                assert "How can we help?" in answer["text"]
        assert await parley.rows(VISITORS) == [(None,)] * 4
