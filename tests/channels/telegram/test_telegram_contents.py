"""What a message of Telegram carries, whatever stands in the members that hold it."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.telegram import parse
from core.model.inbound import Ignored, InboundEvent, InboundMessage, UnreadableRequest
from tests.channels.telegram.subject import request

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
JO = {"id": 1111111, "is_bot": False, "first_name": "Jo"}
CARRIES = ("rich_message", "dice", "poll", "checklist", "web_app_data", "paid_media", "photo", "sticker", "live_photo", "venue", "contact")
MEMBERS = ("text", "caption", "blocks", "items", "cells", "summary", "photo", "video", "file_id", "options", "tasks", "is_video", "title")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=20,
)


def heard(**members: Any) -> InboundEvent:
    message = {"message_id": 7, "date": 1441645532, "chat": {"id": JO["id"], "type": "private"}, "from": JO, **members}
    (event,) = parse(request({"update_id": 10000, "message": message}), "")
    return event


@CALM
@given(members=st.dictionaries(st.sampled_from(CARRIES), anything, min_size=1, max_size=4))
def test_strange_members_are_read_or_refused_and_nothing_else(members: dict[str, Any]) -> None:
    code = ""
    try:
        event = heard(**members)
    except UnreadableRequest as refused:
        code = refused.code
    assert code == "bad_update" or (not code and isinstance(event, InboundMessage | Ignored))


def test_a_deep_or_long_formatted_message_ends() -> None:
    deep: object = "the end"
    for _ in range(50):
        deep = {"type": "block_quotation", "blocks": [{"type": "paragraph", "text": [{"type": "bold", "text": deep}]}]}
    event = heard(rich_message={"blocks": [deep]})
    assert isinstance(event, InboundMessage)
    assert event.text == "the end"
    began = process_time()
    event = heard(rich_message={"blocks": [{"type": "paragraph", "text": ["a"] * 50_000}, {"type": "paragraph", "text": "b"}]})
    assert process_time() - began < 1
    assert isinstance(event, InboundMessage)
    assert 1_000 < len(event.text) <= 10_000


def test_words_beside_a_dice_or_a_poll_come_first() -> None:
    event = heard(caption="look", dice={"emoji": "\U0001f3b2", "value": 1}, poll={"question": "No?"})
    assert isinstance(event, InboundMessage)
    assert event.text == "look"


@pytest.mark.parametrize("number", ["0711 000 111", "+", "", "not a number", "+999"])
def test_a_number_that_is_none_proves_nothing(number: str) -> None:
    event = heard(contact={"phone_number": number, "first_name": "Jo", "user_id": JO["id"]})
    assert isinstance(event, InboundMessage)
    assert "own" not in event.media[0].values
    assert event.media[0].values["phone"] == number


def test_json_reads_what_it_writes_of_a_web_app() -> None:
    event = heard(web_app_data={"data": json.dumps({"plan": "{{7*7}}"}), "button_text": "Choose"})
    assert isinstance(event, InboundMessage)
    assert json.loads(event.text) == {"plan": "{{7*7}}"}
