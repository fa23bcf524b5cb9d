"""Calls a whole gateway as Twilio does: signed requests in, TwiML out, each document held against the vocabulary."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from twilio.request_validator import RequestValidator

from channels.voice_twilio import Settings
from tests.channels.voice_twilio.subject import form
from tests.channels.voice_twilio.vocabulary import check
from tests.gateway.running import ANNA, Running

CHANNEL = """
[channels.line]
kind = "voice_twilio"
address = "+254711082000"
account_sid = { generated = true }
auth_token = { generated = true }
answer_deadline_s = 1
"""


async def ring(parley: Running, url: str = "", **changed: str) -> ET.Element:
    """Call the webhook, or another `url` that TwiML gave, and return its TwiML."""
    status, body = await request(parley, url, **changed)
    assert status == 200
    root = ET.fromstring(body)
    check(root)
    return root


async def request(parley: Running, url: str = "", **changed: str) -> tuple[int, str]:
    """Send a signed request of Anna's call."""
    configured = parley.gateway.channels["line"]
    assert isinstance(configured.settings, Settings)
    fields = form(**{"AccountSid": configured.settings.account_sid, "From": ANNA, **changed})
    url = url or configured.webhook_url
    signature = RequestValidator(configured.settings.auth_token[0]).compute_signature(url, fields)
    async with parley.http.post(url, data=fields, headers={"X-Twilio-Signature": signature}) as answer:
        return answer.status, await answer.text()


async def answer(parley: Running, prompt: ET.Element, **given: str) -> ET.Element:
    """Answer a prompt at the address that it gives, by `Digits` or `SpeechResult`, or by neither: in silence."""
    gather = prompt.find("Gather")
    assert gather is not None, "the call is over"
    return await ring(parley, gather.attrib["action"], CallStatus="in-progress", **({"Digits": ""} | given))


async def on(parley: Running, document: ET.Element, **given: str) -> ET.Element:
    """Go where a document that asks to wait sends the call."""
    redirect = document.find("Redirect")
    assert redirect is not None
    assert redirect.text
    return await ring(parley, redirect.text, CallStatus="in-progress", **given)


def heard(root: ET.Element) -> str:
    """Return what the caller hears."""
    return " ".join("".join(say.itertext()) for say in root.iter("Say"))
