"""TwiML is read as strictly as Twilio's schema is written: what it does not have is an error, and what it has is understood."""

from __future__ import annotations

import pytest

from gateway.simulator.twiml import OUTSIDE_THE_SCHEMA, UNREADABLE, TwimlWrong, read, spoken

GATHER = (
    '<Gather input="dtmf speech" action="http://x/c?m=1" method="POST" timeout="7" numDigits="4" finishOnKey="" bargeIn="true">{}</Gather>'
)


def test_what_is_said_is_heard_in_order_with_its_marked_parts() -> None:
    verbs = read(
        '<Response><Say language="en-GB">Call <say-as interpret-as="telephone">+254711082000</say-as> until\n five</Say>'
        '<Pause length="2"/><Play>https://x/tone.mp3</Play></Response>'
    )
    assert spoken(verbs) == [
        {"say": "Call +254711082000 until five", "language": "en-GB"},
        {"pause": 2},
        {"play": "https://x/tone.mp3"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        GATHER.format("<Say>Hi</Say><Pause/><Play>/a.wav</Play>"),
        '<Record action="/r" maxLength="120" finishOnKey="#" playBeep="true" recordingStatusCallback="/s"/>',
        '<Dial action="/d" timeout="20" callerId="+254711082000"><Number url="/w">+254700000009</Number></Dial>',
        '<Dial timeout="20">+254700000009</Dial>',
        '<Enqueue action="/q" waitUrl="/music">general</Enqueue>',
        '<Redirect method="POST">/again?hold=1&amp;m=2</Redirect>',
        '<Reject reason="busy"/>',
        "<Say>Bye</Say><Hangup/>",
        "",
    ],
)
def test_what_the_schema_has_is_taken(body: str) -> None:
    read(f"<?xml version='1.0' encoding='UTF-8'?><Response>{body}</Response>")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("<Shout>Hi</Shout>", "Shout"),
        ("<say>Hi</say>", "say"),
        ('<Say tone="high">Hi</Say>', "tone"),
        ("<Say></Say>", "Say"),
        ("<Say><Gather/></Say>", "Gather"),
        (GATHER.format("<Hangup/>"), "Hangup"),
        (GATHER.format("words"), "Gather"),
        (GATHER.replace('"7"', '"7.5"').format(""), "timeout"),
        (GATHER.replace("dtmf speech", "voice").format(""), "input"),
        (GATHER.replace('"4"', '"0"').format(""), "numDigits"),
        (GATHER.replace('""', '"12"').format(""), "finishOnKey"),
        ('<Record maxLength="0"/>', "maxLength"),
        ("<Dial><Say>Hi</Say></Dial>", "Say"),
        ("<Dial><Number>the office</Number></Dial>", "Number"),
        ("<Redirect></Redirect>", "Redirect"),
        ("<Hangup>now</Hangup>", "Hangup"),
        ("stray words", "Response"),
        ('<Say>Hi <say-as interpret-as="song">la</say-as></Say>', "interpret-as"),
        ('<Reject reason="tired"/>', "reason"),
        ("<Message>Hi</Message>", "Message"),
    ],
)
def test_what_the_schema_does_not_have_is_an_error(body: str, names: str) -> None:
    with pytest.raises(TwimlWrong, match=names) as caught:
        read(f"<Response>{body}</Response>")
    assert caught.value.code == OUTSIDE_THE_SCHEMA


@pytest.mark.parametrize("document", ["", "hello", "<Response>", "<Other/>", "<Response/><Response/>", "{}", "<Response>&amp</Response>"])
def test_what_is_no_twiml_is_unreadable(document: str) -> None:
    with pytest.raises(TwimlWrong) as caught:
        read(document)
    assert caught.value.code == UNREADABLE
