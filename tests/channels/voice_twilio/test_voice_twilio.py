"""Calls beyond conformance: the TwiML, held against its vocabulary, and a whole call through the gateway."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from channels.voice_twilio import make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed
from core.model.outbound import Listen, Reply
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, heard, ring
from tests.channels.voice_twilio.subject import ACCOUNT, SUBJECT, adapter, request, settings, signed
from tests.channels.voice_twilio.vocabulary import check, problems
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL
from tests.gateway.running import Running, running

VOICES = ("en-GB Polly.Amy", "fr-FR", "sw-KE Google.sw-KE-Standard-A")
TEXTS = [
    "Hello",
    "a < b & c </Say><Dial>+1</Dial>",
    "x" * 4_000,
    "Code 123456 until 2026-01-31, call +254711082000.",
    "مرحبا",
    "a\x00\ufffeb",
]


def twiml(*replies: Reply, voices: Sequence[str] | None = None) -> ET.Element:
    messages = [replace(SUBJECT.message, reply=reply) for reply in replies]
    made = adapter() if voices is None else adapter(voices=voices)
    root = ET.fromstring(made.acknowledge(messages).body.decode())
    check(root)
    assert "".join(root.itertext()).strip(), "an answer must say something"
    return root


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("language", ["en", "fr", "sw", "de", "en-KE", ""])
@pytest.mark.parametrize("listen", [None, Listen(), Listen(2.5, 4, keys_only=True), Listen(0.0, None)])
def test_every_answer_is_valid_and_says_something(text: str, language: str, listen: Listen | None) -> None:
    for ends in (False, True):
        reply = Reply(text, ends_session=ends, language=language, listen=listen, sensitive=ends)
        twiml(reply, voices=VOICES)
        twiml(reply, reply, voices=VOICES)
        twiml(reply, voices=())


@pytest.mark.parametrize(
    "wrong",
    [
        "<Sms>Hello</Sms>",
        "<Gather inputs='dtmf'/>",
        "<Gather timeout='0'/>",
        "<Gather input='dtmf' language='en-GB'/>",
        "<Gather><Hangup/></Gather>",
        "<Gather><Gather/></Gather>",
        "<Say></Say>",
        "<Say><say-as>1</say-as></Say>",
        "<Hangup/><Say>Never heard</Say>",
        "<Redirect>nowhere</Redirect>",
        "<Record finishOnKey=''/>",
        "<Dial><Number>0711082000</Number></Dial>",
        "Hello",
    ],
)
def test_the_check_of_the_vocabulary_finds_what_twilio_refuses(wrong: str) -> None:
    assert list(problems(ET.fromstring(f"<Response>{wrong}</Response>")))


def test_one_key_may_be_any_key_and_several_end_with_a_hash() -> None:
    (one,) = twiml(Reply("Press 1.", listen=Listen(7, 1)))
    assert (one.attrib["numDigits"], one.attrib["finishOnKey"]) == ("1", "")
    for digits in (4, None):
        (several,) = twiml(Reply("Your number, please.", listen=Listen(7, digits)))
        assert several.attrib["finishOnKey"] == "#"


def test_a_prompt_listens_for_keys_and_words_and_for_silence() -> None:
    (gather,) = twiml(Reply("How can we help?", language="fr", listen=Listen(6.2)))
    assert gather.tag == "Gather"
    assert gather.attrib == {
        "input": "dtmf speech",
        "action": f"{PUBLIC_URL}?m={MESSAGE_ID}",
        "method": "POST",
        "timeout": "7",
        "finishOnKey": "#",
        "speechTimeout": "auto",
        "language": "fr-FR",
        "bargeIn": "true",
        "actionOnEmptyResult": "true",
    }
    (say,) = gather
    assert (say.text, say.attrib) == ("How can we help?", {"language": "fr-FR"})


@pytest.mark.parametrize("reply", [Reply("Your PIN, please.", listen=Listen(5, 4, keys_only=True)), Reply("Secret", sensitive=True)])
def test_secrets_are_keyed_in_only(reply: Reply) -> None:
    (gather,) = twiml(reply)
    assert gather.attrib["input"] == "dtmf"
    assert not {"speechTimeout", "language"} & set(gather.attrib)
    assert gather.attrib.get("numDigits") == ("4" if reply.listen else None)


def test_a_call_ends_with_its_last_words() -> None:
    assert [node.tag for node in twiml(Reply("First"), Reply("Goodbye.", ends_session=True))] == ["Say", "Say", "Hangup"]
    assert [node.tag for node in twiml(Reply("Goodbye.", ends_session=True, listen=Listen()))] == ["Say", "Hangup"]


def test_with_nothing_to_say_a_sentence_is_said() -> None:
    for replies in ((), (Reply(""),), (Reply(" \n"), Reply(""))):
        say, hangup = twiml(*replies, voices=VOICES)
        assert (say.text, say.attrib["language"]) == ("Thank you for calling. We will get back to you. Goodbye.", "en-GB")
        assert hangup.tag == "Hangup"


def test_each_language_has_its_voice() -> None:
    for language, wanted in {
        "en": {"language": "en-GB", "voice": "Polly.Amy"},
        "en-KE": {"language": "en-GB", "voice": "Polly.Amy"},
        "fr": {"language": "fr-FR"},
        "de": {},
    }.items():
        (say,) = twiml(Reply("Hello", language=language), voices=VOICES)[0]
        assert say.attrib == wanted


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Your code is 482913.", [("digits", "482913")]),
        ("Case 20260017 is open", [("digits", "20260017")]),
        ("Call +254711082000, or 0711082000.", [("telephone", "+254711082000"), ("digits", "0711082000")]),
        ("Due on 2026-01-31.", [("date", "2026-01-31")]),
        ("Paid on 31/01/2026.", [("date", "31/01/2026")]),
        ("You have 250000 KES, 123456.50 or 1,234,567", []),
        ("Press 1. In 2026 you had 100 and 2500.", []),
    ],
)
def test_codes_numbers_and_dates_are_marked_for_voices_that_understand(text: str, marked: list[tuple[str, str]]) -> None:
    (say,) = twiml(Reply(text), voices=VOICES)[0]
    assert "".join(say.itertext()) == text
    assert [(node.attrib["interpret-as"], node.text) for node in say] == marked
    formats = [("dmy" if "/" in value else "ymd") if kind == "date" else None for kind, value in marked]
    assert [node.attrib.get("format") for node in say] == formats


@pytest.mark.parametrize("voice", VOICES)
def test_money_is_said_in_words_by_every_voice_and_dates_by_those_that_know_no_marks(voice: str) -> None:
    (say,) = twiml(Reply("KES 125000.50 on 31/01/2026", language=voice[:2]), voices=(voice,))[0]
    amount = {"en": "125000 shillings and 50 cents", "fr": "125000 shillings et 50 centimes", "sw": "shilingi 125000 na senti 50"}
    day = "31 janvier 2026" if voice == "fr-FR" else "31/01/2026"
    assert "".join(say.itertext()) == f"{amount[voice[:2]]} on {day}"
    assert [node.attrib["interpret-as"] for node in say] == ([] if voice == "fr-FR" else ["date"])


def test_word_of_an_answering_machine_is_believed_by_its_signature_alone() -> None:
    verdict = {"CallSid": "CA1", "AccountSid": ACCOUNT, "AnsweredBy": "machine_start"}
    adapter().authenticate(signed(request(verdict)))
    for wrong in (request(verdict), signed(request({**verdict, "AccountSid": "AC1"})), signed(request({**verdict, "From": "x"}))):
        with pytest.raises(AuthenticationFailed):
            adapter().authenticate(wrong)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="sentence"):
        settings(otherwise=" ")
    with pytest.raises(ValueError, match="sorry"):
        settings(sorry="")
    with pytest.raises(ValueError, match="twice"):
        settings(dial=("billing +254711000222", "billing queue:billing"))
    with pytest.raises(ValueError, match="must not be empty"):
        settings(auth_token=())
    with pytest.raises(ValueError, match="phone number"):
        make(ChannelId("voice"), Address(AddressKind.ALIAS, "x"), settings(), PUBLIC_URL, "KE")


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", config=demo_with(tmp_path, CHANNEL)) as started:
        yield started


async def test_a_call_is_served_and_goes_on_after_a_drop(parley: Running) -> None:
    menu = await ring(parley, CallStatus="ringing")
    assert menu[0].tag == "Gather"
    assert "press 1" in heard(menu)
    balance = await ring(parley, menu[0].attrib["action"], Digits="1")
    assert "shilling" in heard(balance)
    again = await ring(parley, menu[0].attrib["action"], Digits="1")
    assert ET.tostring(again) == ET.tostring(balance), "the same request gets the same answer"
    over = await ring(parley, CallStatus="completed")
    assert heard(over), "even where nobody listens, there is a sentence"
    rows = await parley.rows("select text from message where direction = 'inbound' order by seq")
    assert [text for (text,) in rows] == ["", "1"]


async def test_silence_in_a_call_is_asked_about_and_ends(parley: Running) -> None:
    answer = await ring(parley, CallStatus="ringing")
    for _ in range(8):
        if answer[-1].tag == "Hangup":
            break
        answer = await ring(parley, answer[0].attrib["action"], Digits="")
        assert heard(answer)
    assert answer[-1].tag == "Hangup"
    assert await parley.rows("select 1 from outbox") == [], "a silent caller gets no message beside the call"


async def test_callers_who_hide_their_number_are_not_one_person(parley: Running) -> None:
    for call in ("CA1", "CA2"):
        await ring(parley, CallSid=call, CallStatus="ringing", Caller="anonymous")
    anonymous = await parley.rows("select count(distinct party_id) from interaction")
    assert anonymous == [(1,)], "with a number they are"
