"""What is done about an outcome that is not known where the provider can be asked, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

import pytest

from core.model.inbound import DeliveryReport
from core.model.outbound import OutboundMessage, SendError, SendErrorCode, SendResult
from tests.gateway.sending.conftest import Provider, Sends, later, people, takes


def unavailable() -> SendError:
    return SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, provider_code="503")


class Asked(Provider):
    """A provider that can be asked; `knows` is what it has taken, by recipient."""

    knows: ClassVar[dict[str, DeliveryReport]] = {}
    down = False

    async def look_up(self, message_id: str, external_id: str, recipient: str, sent_at: int) -> DeliveryReport | None:
        del message_id, external_id, sent_at
        if self.down:
            raise unavailable()
        return self.knows.get(recipient)


def vague(message: OutboundMessage) -> Awaitable[SendResult]:
    raise SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True)


def asked(sends: Sends, on_unknown: str = "repeat") -> Asked:
    provider = Asked(sends.world.channels["sms"].capabilities, vague)
    provider.knows = {}
    sends.channel("sms", provider)
    sends.say("sms", people(1), "one")
    sends.say("sms", people(1), "two")
    sends.world.store.write_sync(lambda tx: tx.execute("update outbox set on_unknown = ?", (on_unknown,)))
    return provider


@pytest.mark.parametrize("on_unknown", ["once", "repeat", "keyed"])
def test_a_provider_that_can_be_asked_settles_an_unknown_outcome_at_once(sends: Sends, on_unknown: str) -> None:
    provider = asked(sends, on_unknown)
    provider.knows[people(1)[0].value] = DeliveryReport("x1", "sent")

    async def first_vague(message: OutboundMessage) -> SendResult:
        return await (takes(message) if message.reply.text == "two" else vague(message))

    provider.behave = first_vague
    sends.run(1)
    assert [message.reply.text for _, message in provider.asked] == ["one", "two"]
    assert sends.world.rows("select status from message where direction = 'outbound' order by created_at, seq") == [
        ("sent",),
        ("accepted",),
    ]
    assert sends.states() == {"sent": 1, "accepted": 1}


@pytest.mark.parametrize("on_unknown", ["once", "repeat"])
def test_what_the_provider_never_had_is_sent_once_that_is_sure(sends: Sends, on_unknown: str) -> None:
    provider = asked(sends, on_unknown)

    async def first_vague(message: OutboundMessage) -> SendResult:
        return await (vague(message) if message.attempt == 1 and message.reply.text == "one" else takes(message))

    provider.behave = first_vague
    sends.run(19)
    assert len(provider.asked) == 1
    sends.run(3)
    assert [message.reply.text for _, message in provider.asked] == ["one", "one", "two"]
    assert sends.states() == {"accepted": 2}


def test_after_a_crash_the_provider_is_asked_at_once(sends: Sends) -> None:
    async def never(message: OutboundMessage) -> SendResult:
        await later(1_000)
        return await takes(message)

    provider = asked(sends)
    provider.behave = never
    sends.run(1)
    provider.knows[people(1)[0].value] = DeliveryReport("x1", "delivered")
    provider.behave = takes
    sends.restart()
    sends.run(1)
    assert [message.reply.text for _, message in provider.asked] == ["one", "two"]
    assert sends.states() == {"delivered": 1, "accepted": 1}
    assert sends.world.rows("select number, outcome, code from attempt order by started_at, number") == [
        (1, "unknown", "interrupted"),
        (1, "accepted", None),
    ]


def test_a_provider_that_cannot_be_asked_now_is_asked_again_until_the_class_decides(sends: Sends) -> None:
    provider = asked(sends, "once")
    provider.down = True
    sends.run(119)
    assert sends.states() == {"unknown": 1, "queued": 1}
    sends.run(3)
    assert sends.states()["dead"] == 1
    assert len([message for _, message in provider.asked if message.reply.text == "one"]) == 1


def test_what_it_found_is_not_taken_for_an_earlier_message_to_the_same_person(sends: Sends) -> None:
    provider = asked(sends)

    async def second_vague(message: OutboundMessage) -> SendResult:
        return await (vague(message) if message.attempt == 1 and message.reply.text == "two" else takes(message))

    provider.behave = second_vague
    sends.run(0.01)
    (first,) = sends.world.rows("select external_id from outbox where external_id is not null")
    provider.knows[people(1)[0].value] = DeliveryReport(first[0], "delivered")
    sends.run(25)
    assert [message.reply.text for _, message in provider.asked] == ["one", "two", "two"]


def test_a_message_that_ends_two_processes_is_given_up(sends: Sends) -> None:
    async def never(message: OutboundMessage) -> SendResult:
        await later(10_000)
        return await takes(message)

    provider = sends.channel("sms")
    provider.behave = never
    sends.say("sms", people(1))
    sends.world.store.write_sync(lambda tx: tx.execute("update outbox set on_unknown = 'keyed', expires_at = expires_at + 9000000"))
    for _ in range(4):
        sends.run(1)
        sends.restart()
        sends.run(125)
        sends.restart()
    assert sends.states() == {"dead": 1}
    assert len(provider.asked) == 2
