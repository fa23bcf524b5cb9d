"""Each provider of short messages with a whole gateway: a message in, the answer out by its API, its report on the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from core.model.inbound import RawRequest
from tests.channels.stand_in import StandIn
from tests.conformance.subject import Subject, subject_of
from tests.gateway.running import Running, running

DEMO = (Path(__file__).parents[2] / "config" / "parley.toml").read_text("utf-8")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
WAIT_S = 20
SECRET = '{{ file = "{}" }}'.format
CHANNELS: Mapping[str, Mapping[str, str]] = {
    "sms_africastalking": {"username": '"operator"', "api_key": SECRET("0"), "api_base": '"{base}"'},
    "sms_vonage": {"api_key": '"abcd1234"', "api_secret": SECRET("2"), "signature_secret": SECRET("0"), "api_base": '"{base}"'},
    "sms_infobip": {"api_key": SECRET("2"), "basic": SECRET("0"), "api_base": '"{base}"'},
    "sms_plivo": {"auth_id": SECRET("2"), "auth_token": SECRET("0"), "api_base": '"{base}"'},
    "sms_clickatell": {"api_key": SECRET("2"), "basic": SECRET("0"), "api_base": '"{base}"'},
    "http_generic": {"hmac_keys": SECRET("0"), "send_url": '"{base}/send"', "send_format": '"json"'},
}


def reports(subject: Subject, external_id: str) -> tuple[object, str]:
    """Return how the provider says that the message was delivered."""
    here, person = subject.message.sender.value.lstrip("+"), subject.message.recipient.value.lstrip("+")
    told: dict[str, tuple[object, str]] = {
        "sms_africastalking": ({"id": external_id, "status": "Success", "phoneNumber": f"+{person}"}, FORM),
        "sms_vonage": ({"messageId": external_id, "status": "delivered", "msisdn": person, "to": here, "api-key": "abcd1234"}, FORM),
        "sms_infobip": ({"results": [{"messageId": external_id, "status": {"groupId": 3, "name": "DELIVERED_TO_HANDSET"}}]}, JSON),
        "sms_plivo": ({"MessageUUID": external_id, "Status": "delivered", "From": here, "To": person}, FORM),
        "sms_clickatell": ({"event": {"messageStatusUpdate": [{"messageId": external_id, "statusCode": 5}]}}, JSON),
        "http_generic": ({"id": external_id, "status": "delivered"}, JSON),
    }
    return told[subject.kind]


def configured(subject: Subject, folder: Path, base: str) -> Path:
    """Write a configuration with the provider's channel beside those of the demo operator."""
    for number, secret in enumerate(subject.secrets):
        (folder / str(number)).write_text(secret)
    lines = [f"{name} = {value.format(base=base) if '{base}' in value else value}" for name, value in CHANNELS[subject.kind].items()]
    table = ["[channels.other]", f'kind = "{subject.kind}"', f'address = "{subject.message.sender.value}"', *lines]
    path = folder / "parley.toml"
    path.write_text("\n".join([DEMO, *table]) + "\n")
    return path


async def deliver(parley: Running, subject: Subject, what: RawRequest) -> int:
    """Call the channel as the provider does, authenticated for the address that this gateway has."""
    url = parley.gateway.channels["other"].webhook_url
    what = subject.authentic(replace(what, url=url))
    status, _ = await parley.post("other", data=what.body, headers=dict(what.headers))
    return status


async def outbound(parley: Running, wanted: str) -> list[Any]:
    """Return the statuses of what was said on the channel, once all of them are as wanted."""
    sql = "select status from message where direction = 'outbound' and channel_id = 'other'"
    async with asyncio.timeout(WAIT_S):
        while True:
            rows = await parley.rows(sql)
            if {status for (status,) in rows} == {wanted}:
                return rows


@pytest.mark.parametrize("kind", CHANNELS)
async def test_a_message_its_answer_and_the_report(tmp_path: Path, kind: str) -> None:
    subject = subject_of(kind)
    assert subject.accepted is not None
    provider = StandIn(subject.accepted.status, subject.accepted.document)
    async with provider.running() as base, running(tmp_path / "data", config=configured(subject, tmp_path, base)) as parley:
        said = subject.says("hello", {})
        assert await deliver(parley, subject, said) == 200
        assert await deliver(parley, subject, said) == 200  # once more, as providers do
        assert len(await outbound(parley, "accepted")) == 1
        (call,) = provider.calls
        assert subject.message.recipient.value.lstrip("+") in call.body
        document, content_type = reports(subject, subject.accepted.external_id)
        body = urlencode(document) if content_type == FORM else json.dumps(document)  # type: ignore[arg-type]
        report = RawRequest("POST", "", {"content-type": content_type}, body.encode(), 0)
        assert await deliver(parley, subject, report) == 200
        await outbound(parley, "delivered")
        forged = next(iter(subject.forgeries.values()))
        unsigned = forged(replace(said, url=parley.gateway.channels["other"].webhook_url))
        if kind != "sms_africastalking":  # whose only guard besides the secret address is the network
            assert (await parley.post("other", data=unsigned.body, headers=dict(unsigned.headers)))[0] == 403
        assert await parley.rows("select count(*) from inbound where channel_id = 'other'") == [(1,)]
