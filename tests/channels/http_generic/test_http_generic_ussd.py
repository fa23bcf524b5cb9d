"""The generic gateway in sessions: single inputs and all input so far, screens, and the checks of every adapter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.model.address import Address, AddressKind
from core.model.inbound import (
    AuthenticationFailed,
    ContactSignal,
    InboundMessage,
    RawRequest,
    Session,
    UnreadableRequest,
)
from core.model.outbound import Answer, Reply
from tests.channels.http_generic.subject import PERSON, SUBJECT, adapter, request
from tests.conformance import adapter_checks as checks
from tests.conformance.sending import check_cannot_send
from tests.conformance.subject import NOWHERE, Subject

CODE = Address(AddressKind.SHORT_CODE, "*384*100#")
OPEN = {"hmac_keys": (), "sources": ()}


def ussd(**changed: object) -> dict[str, Any]:
    return {**OPEN, "medium": "ussd", "session_field": "sid", "text_field": "input", "id_field": "", "recipient_field": "code", **changed}


def dialled(text: str, **changed: object) -> RawRequest:
    return request({"sid": "s-1", "from": "0711000111", "code": "*384*100", "input": text, **changed})


def test_a_session_of_single_inputs() -> None:
    ours = adapter(NOWHERE, CODE, **ussd(session_begins="type=1", session_ends="type=3", id_field="seq"))
    first, second, last = (
        ours.parse(what)[0] for what in (dialled("*384*100#", type=1, seq=1), dialled("1", type=2, seq=2), dialled("", type=3))
    )
    assert first == InboundMessage("s-1:1", PERSON, CODE, "", session=Session.NEW, session_id="s-1")
    assert second == InboundMessage("s-1:2", PERSON, CODE, "1", session=Session.RESUME, session_id="s-1")
    assert last == ContactSignal("s-1:end", PERSON, CODE, "hung_up", session_id="s-1")
    ours.authenticate(dialled("1", type=2, seq=2))
    with pytest.raises(AuthenticationFailed, match="other_number"):
        ours.authenticate(dialled("1", type=2, seq=2, code="*384*200#"))
    with pytest.raises(UnreadableRequest, match="bad_session"):
        ours.parse(dialled("1", sid=""))


def shown(answer: Answer) -> Any:
    return json.loads(answer.body)


def test_an_answer_gives_fields_of_its_request_back() -> None:
    fields = ("session.id={field:sid}", "message={text}", "step={field:seq}", "none={field:nothing}")
    ours = adapter(NOWHERE, CODE, **ussd(id_field="seq", continue_fields=fields, end_text="END {text} ({field:sid})"))
    asking = replace(SUBJECT.message, reply=Reply("{field:sid} {text}\n1 Yes"))
    stored = ours.acknowledge([asking])
    answer = ours.answer_to(dialled("1", seq=2), stored)
    assert shown(answer) == {"session": {"id": "s-1"}, "message": "{field:sid} {text}\n1 Yes", "step": "2", "none": ""}
    assert ours.answer_to(dialled("1", seq=2), stored) == answer
    over = ours.acknowledge([replace(asking, reply=Reply("Bye", ends_session=True))])
    assert ours.answer_to(dialled("1", seq=2), over).body == b"END Bye (s-1)"
    assert shown(ours.answer_to(dialled("1", sid="x" * 500), stored))["session"]["id"] == "x" * 200
    assert shown(ours.answer_to(dialled("1", sid="\ud800"), stored))["session"]["id"] == "?"
    assert shown(ours.answer_to(RawRequest("POST", "", {}, b"\xff", 0), stored))["session"]["id"] == ""


def test_an_answer_without_fields_is_the_same_for_every_request() -> None:
    ours = adapter(NOWHERE, CODE, **ussd())
    stored = ours.acknowledge([SUBJECT.message])
    assert ours.answer_to(dialled("1"), stored) == stored


@pytest.mark.parametrize(
    "setting", [{"continue_text": "CON {fields}"}, {"end_fields": ("a={session}",)}, {"send_fields": ("a={field:x}",)}]
)
def test_places_that_nothing_can_fill_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        adapter(NOWHERE, CODE, **ussd(**setting))


def test_a_session_of_all_input_so_far() -> None:
    ours = adapter(NOWHERE, CODE, **ussd(cumulative=True))
    first, second, again = (ours.parse(dialled(text))[0] for text in ("", "1*2", "1*2"))
    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert (first.session, second.session, second.cumulative, second.text) == (Session.NEW, Session.RESUME, True, "1*2")
    assert second == again
    assert first.external_id != second.external_id


def test_the_same_input_twice_is_two_steps_where_nothing_else_tells() -> None:
    ours = adapter(NOWHERE, CODE, **ussd())
    first, second = (ours.parse(replace(dialled("1"), received_at=at))[0] for at in (1, 2))
    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert first.external_id != second.external_id


def test_screens() -> None:
    plain = adapter(NOWHERE, CODE, **ussd(continue_text="1|{text}", end_text="2|{text}"))
    assert plain.acknowledge([SUBJECT.message]).body == b"1|Your balance is KES 250.00"
    over = replace(SUBJECT.message, reply=Reply('Bye {text} "you"', ends_session=True))
    assert plain.acknowledge([over]).body == b'2|Bye {text} "you"'
    as_json = adapter(NOWHERE, CODE, **ussd(continue_fields=("message={text}", "more:=true"), end_fields=("message={text}", "more:=false")))
    assert json.loads(as_json.acknowledge([SUBJECT.message]).body) == {"message": "Your balance is KES 250.00", "more": True}
    answer = as_json.acknowledge([over])
    assert json.loads(answer.body) == {"message": 'Bye {text} "you"', "more": False}
    assert answer.content_type == "application/json; charset=utf-8"


def _texts(answer: Answer) -> list[str]:
    return [answer.body.decode()[4:]]


USSD_SUBJECT: Subject = replace(
    SUBJECT,
    make=lambda base: adapter(
        base, CODE, **ussd(sources=("127.0.0.0/8",), session_field="session", text_field="text", recipient_field="to")
    ),
    says=lambda text, unknown: request({"session": "s-1", "from": "+254711000111", "to": CODE.value, "text": text, **unknown}),
    authentic=lambda what: what,
    authentic_before=None,
    forgeries={
        "another network": lambda what: replace(what, remote="192.0.2.7"),
        "another service code": lambda what: replace(what, body=what.body.replace(b"384", b"385")),
    },
    texts_of=_texts,
    accepted=None,
    impatient=None,
    samples=Path(__file__).parent / "nowhere",
)
USSD_CHECKS = [
    checks.check_vocabulary,
    checks.check_authentic,
    checks.check_forgeries,
    checks.check_texts,
    checks.check_hostile,
    checks.check_arbitrary_bytes,
    checks.check_acknowledge,
]


@pytest.mark.parametrize("check", USSD_CHECKS, ids=lambda check: check.__name__)
def test_ussd_passes_the_checks_of_every_adapter(check: checks.Check) -> None:
    check(USSD_SUBJECT)


async def test_ussd_sends_nothing_outside_a_session() -> None:
    await check_cannot_send(USSD_SUBJECT)
