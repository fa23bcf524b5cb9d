"""Forged, bent, replayed and misdirected webhooks over the real surface: refused with the right status, counted, and without a row."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from channels import signatures
from core.clock import Clock
from core.model.inbound import AuthenticationFailed
from core.store.api import StoreUnavailable
from tests.gateway.running import ANNA, Running, running

FORM = "application/x-www-form-urlencoded"
SECOND = {
    "channels.sms2.kind": "sms_twilio",
    "channels.sms2.address": "+254711082001",
    "channels.sms2.account_sid": {"generated": True},
    "channels.sms2.auth_token": {"generated": True},
    "channels.sms2.api_base": "simulator",
}
YEAR_MS = 365 * 86_400_000


def fields(parley: Running, channel: str = "sms", **change: str) -> dict[str, str]:
    configured = parley.gateway.channels[channel]
    made = {
        "AccountSid": configured.settings.account_sid,
        "MessageSid": "SM" + "1" * 32,
        "From": ANNA,
        "To": configured.channel.address.value,
        "Body": "menu",
        **change,
    }
    return {name: value for name, value in made.items() if value is not None}


def signed(parley: Running, form: dict[str, str], channel: str = "sms", *, url: str | None = None) -> str:
    configured = parley.gateway.channels[channel]
    values = {name: (value,) for name, value in form.items()}
    return signatures.twilio_signature(configured.settings.auth_token[0], url or configured.webhook_url, values)


async def post(parley: Running, body: bytes, headers: Any, *, channel: str = "sms", query: str = "") -> int:
    async with parley.http.post(parley.gateway.channels[channel].webhook_url + query, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def rows(parley: Running) -> list[Any]:
    return await parley.rows("select (select count(*) from inbound), (select count(*) from unreadable), (select count(*) from message)")


async def test_any_bit_of_a_signed_request_counts(parley: Running) -> None:
    form = fields(parley)
    body = urlencode(form).encode()
    good = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form)}
    draw = random.Random(7)
    for _ in range(300):
        bent = bytearray(body)
        place = draw.randrange(len(bent) * 8)
        bent[place // 8] ^= 1 << place % 8
        assert await post(parley, bytes(bent), good) == 403, bytes(bent)
    last = good["X-Twilio-Signature"][-2]
    for signature in ("", "x", "é", "a" * 7_000, good["X-Twilio-Signature"][:-2] + ("E=" if last == "A" else "A=")):
        assert await post(parley, body, {**good, "X-Twilio-Signature": signature}) == 403
    for gone in good:
        assert await post(parley, body, {name: value for name, value in good.items() if name != gone}) == 403
    for repeated, value in good.items():
        headers = [*good.items(), (repeated, value)]
        assert await post(parley, body, headers) in {400, 403}
    assert await rows(parley) == [(0, 0, 0)]
    refused = sum(count for (name, _), count in parley.gateway.counters._counts.items() if name == "refused")
    assert refused >= 300 + 4
    assert await post(parley, body, good) == 200
    assert await rows(parley) == [(1, 0, 2)]


async def test_the_public_address_decides_what_is_signed_and_no_header_does(parley: Running) -> None:
    form = fields(parley)
    body = urlencode(form).encode()
    own = parley.gateway.channels["sms"].webhook_url
    evil = own.replace(parley.gateway.url, "https://evil.example")
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form, url=evil)}
    forged = (
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Path": "/", "X-Forwarded-Port": "443"},
        {"Forwarded": 'host="evil.example";proto=https'},
        {"X-Original-URL": evil},
    )
    for more in forged:
        assert await post(parley, body, {**headers, **more}) == 403
        assert await post(parley, body, {**headers, **more, "X-Twilio-Signature": signed(parley, form)}) == 200


async def test_a_request_of_one_account_is_worth_nothing_at_another(tmp_path: Path) -> None:
    async with running(tmp_path, overrides=SECOND) as parley:
        for here, there in (("sms", "sms2"), ("sms2", "sms")):
            form = fields(parley, here)
            body = urlencode(form).encode()
            headers = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form, here)}
            assert await post(parley, body, headers, channel=there) == 403
            url = parley.gateway.channels[there].webhook_url  # even if the other account signs it for our address
            headers["X-Twilio-Signature"] = signed(parley, form, there, url=url)
            assert await post(parley, body, headers, channel=there) == 403
            assert await post(parley, body, {**headers, "X-Twilio-Signature": signed(parley, form, here)}, channel=here) == 200
        assert parley.gateway.counters.value("refused", channel="sms", code="other_account") == 1
        swapped = parley.gateway.channels["ussd"].webhook_url.replace("/c/ussd/", "/c/sms/")
        async with parley.http.post(swapped, data=b"x") as answer:
            assert answer.status == 404


async def test_a_captured_request_has_no_effect_a_year_later(parley: Running) -> None:
    form = fields(parley)
    body = urlencode(form).encode()
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form)}
    assert await post(parley, body, headers) == 200
    before = await rows(parley)
    for later_ms in (1_000, 86_400_000, YEAR_MS + 35 * 86_400_000):
        parley.gateway.clock = Clock(lambda later=later_ms: Clock().now_ms() + later)  # type: ignore[misc]
        assert await post(parley, body, {**headers, "I-Twilio-Idempotency-Token": str(later_ms)}) == 200
    assert await rows(parley) == before


async def test_fields_are_not_polluted(parley: Running) -> None:
    form = fields(parley)
    base = urlencode(form)
    own = parley.gateway.channels["sms"].webhook_url
    twice = {name: (value,) for name, value in form.items()} | {"From": (ANNA, "+254700000009")}
    token = parley.gateway.channels["sms"].settings.auth_token[0]
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signatures.twilio_signature(token, own, twice)}
    assert await post(parley, f"{base}&From=%2B254700000009".encode(), headers) == 403
    query = "?From=%2B254700000009"
    single = {name: (value,) for name, value in form.items()}
    headers["X-Twilio-Signature"] = signatures.twilio_signature(token, own + query, single)
    assert await post(parley, base.encode(), headers, query=query) == 200
    assert await parley.rows("select distinct address from message") == [(ANNA,)]
    joined = {**{name: value for name, value in form.items() if name not in {"From", "MessageSid", "To"}}, "Bodymenu": ""}
    headers["X-Twilio-Signature"] = signed(parley, form)
    assert await post(parley, urlencode(joined).encode(), headers) == 403


async def test_unknown_channels_and_wrong_secrets_look_the_same_and_lead_nowhere(parley: Running) -> None:
    secret = parley.gateway.channels["ussd"].secret
    assert len(secret) * 4 >= 128
    paths = [
        f"/c/ussd/{secret[:-1]}",
        f"/c/ussd/{secret}x",
        f"/c/ussd/{secret.swapcase()}",
        "/c/ussd/" + "0" * 32,
        "/c/nobody/" + "0" * 32,
        f"/c/nobody/{secret}",
        f"/c/sms/{secret}",
        "/c/ussd/%00",
        "/c/ussd/%ff%fe",
        "/c/%ED%A0%80/x",
    ]
    answers = set()
    for path in paths:
        async with parley.http.post(parley.gateway.url + path, data=b"x", skip_auto_headers=["Content-Type"]) as answer:
            answers.add((answer.status, await answer.text(), *sorted(set(answer.headers) - {"Date"})))
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    labels = {value for (name, pairs) in parley.gateway.counters._counts if name == "refused" for _, value in pairs}
    assert labels <= {"unknown", "unknown_channel", "ussd", "sms"}


@pytest.mark.parametrize(
    ("error", "status"),
    [(ZeroDivisionError("canary"), 500), (AuthenticationFailed("bad_signature", "canary"), 403), (StoreUnavailable("busy", "canary"), 503)],
)
async def test_a_check_that_fails_in_any_way_lets_nobody_in(
    parley: Running, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr(type(parley.gateway.channels["sms"].adapter), "authenticate", fails)
    form = fields(parley)
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form)}
    async with parley.http.post(parley.gateway.channels["sms"].webhook_url, data=urlencode(form), headers=headers) as answer:
        assert answer.status == status
        text = await answer.text()
    assert "canary" not in text
    assert await rows(parley) == [(0, 0, 0)]


async def test_the_guard_of_signatures_bites(parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "check_twilio", lambda *_: None)
    assert await post(parley, urlencode(fields(parley)).encode(), {"Content-Type": FORM, "X-Twilio-Signature": "forged"}) == 200


async def test_what_a_customer_writes_is_never_carried_out_nor_turned_into_something_else(parley: Running) -> None:
    known = "select m.value, m.strength, p.role, p.customer_no from contact_medium m join party p on p.id = m.party_id order by m.value"
    before = await parley.rows(known)
    texts = (
        "{{7*7}} {0.__class__} %(x)s ${x} {name} {{{{", "'; drop table party; --", "</Message><Dial>1</Dial>",
        "e\u0301" + "\u0300" * 1_000, "\u202eabc\u2066", "\x00\x07bell", "=cmd|' /C calc'!A0",
        "I am verified, set trust=checked, role=admin",
    )  # fmt: skip
    for number, text in enumerate(texts):
        form = fields(parley, Body=text, MessageSid=f"SM{number:032d}", Trust="4", party_id="1")
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form)}
        async with parley.http.post(parley.gateway.channels["sms"].webhook_url, data=urlencode(form), headers=headers) as answer:
            assert answer.status == 200
            said = await answer.text()
        assert "49" not in re.sub('statusCallback="[^"]*"', "", said)
        assert "<Dial>" not in said
    heard = [text for (text,) in await parley.rows("select text from message where direction = 'inbound' order by seq")]
    assert heard[:5] == [*texts[:5]]
    assert heard[5] == "bell"
    assert await parley.rows(known) == before


async def test_a_defect_of_our_own_costs_no_message(parley: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr(type(parley.gateway.turns), "receive", fails)
    form = fields(parley)
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signed(parley, form)}
    assert await post(parley, urlencode(form).encode(), headers) == 200
    assert await parley.rows("select code, raw from unreadable") == [("not_recorded", urlencode(form).encode())]
