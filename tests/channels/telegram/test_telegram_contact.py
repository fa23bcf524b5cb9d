"""What only Telegram has: a contact that proves its sender's number, and messages that are changed after they were sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.operator import NUMBERS
from tests.channels.telegram.person import Person, labels, talking


@pytest.fixture
async def asha(tmp_path: Path) -> AsyncIterator[Person]:
    async with talking(tmp_path) as person:
        yield person


async def owner(person: Person) -> tuple[str, str | None, int]:
    """Return evidence and strength of the link of the Telegram account, and the customer number of its party."""
    rows = await person.parley.rows(
        "select m.evidence, p.customer_no, m.strength from contact_medium m join party p on p.id = m.party_id"
        " where m.kind = 'telegram' and m.valid_to is null"
    )
    assert len(rows) == 1
    evidence, customer, strength = rows[0]
    return evidence, customer, strength


async def test_a_flow_that_needs_the_number_asks_for_it_by_a_key(asha: Person) -> None:
    asked = await asha.asks("balance")
    assert asked["keyboard"] == [[{"text": "Share my number", "request_contact": True}]]
    assert await owner(asha) == ("first contact on bot", None, 0)
    await asha.telegram.share_contact(asha.token, asha.phone)
    told = await asha.sees()
    assert "confirmed" in told["text"]
    assert "KES" in told["text"]
    assert "keyboard" not in told
    assert await owner(asha) == ("contact shared on bot", "DEMO-0001", 2)
    codes = await asha.parley.rows("select 1 from one_time_code")
    assert codes == []


async def test_a_contact_shared_unasked_proves_the_number_too(asha: Person) -> None:
    await asha.asks("menu")
    await asha.telegram.share_contact(asha.token, asha.phone)
    assert "confirmed" in (await asha.sees())["text"]
    assert await owner(asha) == ("contact shared on bot", "DEMO-0001", 2)
    told = await asha.asks("balance")
    assert "KES" in told["text"]


async def test_somebody_elses_contact_proves_nothing(asha: Person) -> None:
    await asha.asks("balance")
    await asha.telegram.share_contact(asha.token, asha.phone, of=NUMBERS[1])
    assert "confirmed" not in (await asha.sees())["text"]
    assert await owner(asha) == ("first contact on bot", None, 0)


async def test_a_forwarded_contact_of_ones_own_proves_nothing(asha: Person) -> None:
    await asha.asks("balance")
    own = {"phone_number": asha.phone.lstrip("+"), "first_name": "Asha", "user_id": asha.chat.person["id"]}
    await asha.telegram.send(asha.token, asha.phone, {"contact": own, "forward_date": 1}, {"text": "contact"})
    await asha.sees()
    assert await owner(asha) == ("first contact on bot", None, 0)


async def test_a_number_of_another_customer_does_not_join_the_two(asha: Person) -> None:
    await asha.telegram.share_contact(asha.token, asha.phone)
    await asha.sees()
    person = asha.chat.person
    other = {"phone_number": NUMBERS[1].lstrip("+"), "first_name": "Asha", "user_id": person["id"]}
    await asha.telegram.send(asha.token, asha.phone, {"contact": other}, {"text": "contact"})
    await asha.sees()
    assert (await owner(asha))[1] == "DEMO-0002"
    assert await asha.parley.rows("select customer_no from party where merged_into is not null and customer_no is not null") == []


async def contents(person: Person) -> list[str]:
    rows = await person.parley.rows("select text, content from message where direction = 'inbound' order by seq")
    return [
        f"{text}{' (corrected)' if 'corrected_by' in content else ''}{' (corrects)' if 'corrects' in content else ''}"
        for text, content in rows
    ]


async def test_a_picture_is_fetched_from_telegram_and_kept(asha: Person) -> None:
    picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (64).to_bytes(4, "big") * 2 + b"\x08\x06\x00\x00\x00" + bytes(400)
    file_id = asha.telegram.upload(picture, "photos/file_1.png")
    await asha.telegram.send(asha.token, asha.phone, {"photo": [{"file_id": file_id, "width": 64, "height": 64}]}, {"text": "picture"})
    async with asyncio.timeout(30):
        with asha.parley.gateway.hints.listen("events") as news:
            while (rows := await asha.parley.rows("select state, code, size from media"))[0][0] not in {"stored", "refused"}:
                await news.wait(1.0)
    assert rows == [("stored", None, len(picture))]
    assert asha.token not in str(await asha.parley.rows("select * from media"))


async def answers(person: Person) -> int:
    ((count,),) = await person.parley.rows("select count(*) from message where direction = 'outbound'")
    return int(count)


async def test_a_corrected_word_is_taken_while_its_question_is_open(asha: Person) -> None:
    number = await asha.writes("xyzzy")
    assert "Balance" not in labels(await asha.sees())
    await asha.telegram.edit(asha.token, asha.phone, number, "menu")
    assert "Balance" in labels(await asha.sees())
    assert await contents(asha) == ["xyzzy (corrected)", "menu (corrects)"]


async def test_a_word_that_was_understood_is_corrected_in_the_record_only(asha: Person) -> None:
    number = await asha.writes("menu")
    await asha.sees()
    await asha.telegram.edit(asha.token, asha.phone, number, "top up")
    assert await contents(asha) == ["menu (corrected)", "top up (corrects)"]
    assert await answers(asha) == 1


async def test_an_earlier_word_is_corrected_in_the_record_only(asha: Person) -> None:
    number = await asha.writes("xyzzy")
    await asha.sees()
    await asha.asks("plugh")
    await asha.telegram.edit(asha.token, asha.phone, number, "menu")
    assert await contents(asha) == ["xyzzy (corrected)", "plugh", "menu (corrects)"]
    await asha.telegram.edit(asha.token, asha.phone, number, "balance")
    assert await contents(asha) == ["xyzzy (corrected)", "plugh", "menu (corrected) (corrects)", "balance (corrects)"]
    assert await answers(asha) == 2
