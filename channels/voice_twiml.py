"""Turns replies into TwiML, with Twilio's library: what is said, in which language and voice, and how the call waits for an answer.

Every document says something. Must not know how a request is parsed, and must not add words of its own but the sentence it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import ceil

from twilio.twiml.voice_response import Gather, Say, VoiceResponse  # type: ignore[import-untyped]  # the library ships no types

from channels.twilio_hooks import printable, url_about, url_for
from channels.voice_twilio import HOLD, TEXT_CHARS_MAX
from channels.voice_words import DATE, MONEY, in_words, money
from core.model.outbound import Listen, OutboundMessage, Reply
from core.text.split import gsm7_length, split

_MARKED = ("Polly.", "Google.")  # the voices that understand marks in a text
_TELEPHONE = r"(?P<telephone>\+\d{7,15}(?!\d))"
_DIGITS = r"(?P<digits>(?<![\d.,+])(?<![A-Z]{3} )\d{5,20}(?!\d|[.,]\d| [A-Z]{3}\b))"  # a code or a number of something, but no money
_SAID_AS = re.compile(f"{MONEY}|{DATE}|{_TELEPHONE}|{_DIGITS}")


class Voices:
    """How each language is spoken and understood: `en-GB Polly.Amy` is Twilio's tag of a language and perhaps a voice."""

    def __init__(self, voices: Sequence[str]) -> None:
        pairs = [voice.partition(" ") for voice in reversed(voices)]
        self._voices = {_language(tag): (tag, name or None) for tag, _, name in pairs}
        self.first = _language(voices[0].partition(" ")[0]) if voices else ""

    def of(self, language: str) -> tuple[str | None, str | None]:
        """Return Twilio's tag and voice for a language; None and None leave both to the account."""
        return self._voices.get(_language(language), (None, None))


def _language(tag: str) -> str:
    return tag.partition("-")[0]


def answer(messages: Sequence[OutboundMessage], voices: Voices, hook: str, otherwise: str) -> bytes:
    """Return the TwiML that says the messages and then listens, or hangs up after the last; with nothing to say, it says `otherwise`.

    `hook` is the webhook's URL; the answer to a prompt comes there with the prompt's id in the query.
    """
    said = [saying for message in messages for saying in _sayings(message.reply, voices)]
    if not said:
        return last_words(otherwise, voices)
    response = VoiceResponse()
    last = messages[-1]
    ends = any(message.reply.ends_session for message in messages)
    records = last.reply.listen is not None and last.reply.listen.record_s > 0
    listener = response if ends or records or last.reply.holds else _listener(last, voices, hook)
    for saying in said:
        listener.append(saying)
    if ends:
        response.hangup()
    elif last.reply.holds:
        response.redirect(url_for(hook, last.id, HOLD), method="POST")
    elif records:
        _record(response, last, hook)
    else:
        response.append(listener)
    return _document(response)


def last_words(text: str, voices: Voices) -> bytes:
    """Return the TwiML that says a text in the first of the voices and hangs up."""
    response = VoiceResponse()
    for saying in _sayings(Reply(text, language=voices.first), voices):
        response.append(saying)
    response.hangup()
    return _document(response)


def _listener(message: OutboundMessage, voices: Voices, hook: str) -> Gather:
    """Return what waits for keys and words while the prompt is said; silence comes to the webhook like an answer."""
    reply = message.reply
    listen = reply.listen or Listen()
    by_voice = not (listen.keys_only or reply.sensitive)
    tag, _ = voices.of(reply.language)
    return Gather(
        input="dtmf speech" if by_voice else "dtmf",
        action=url_about(hook, message),
        method="POST",
        timeout=max(1, ceil(listen.timeout_s)),
        num_digits=listen.digits,
        finish_on_key="" if listen.digits == 1 else "#",  # where one key is the answer, that key may be # as well
        speech_timeout="auto" if by_voice else None,
        language=tag if by_voice else None,
        barge_in=True,
        action_on_empty_result=True,
    )


def _record(response: VoiceResponse, message: OutboundMessage, hook: str) -> None:
    """Add what keeps a spoken message. Where nothing was spoken, Twilio goes past it, and that is told as silence."""
    listen = message.reply.listen or Listen()
    action = url_about(hook, message)
    response.record(
        action=action,
        method="POST",
        timeout=max(1, ceil(listen.timeout_s)),
        max_length=listen.record_s,
        finish_on_key="#",
        play_beep=True,
        transcribe=False,
    )
    response.redirect(action, method="POST")


def _sayings(reply: Reply, voices: Voices) -> Iterator[Say]:
    tag, voice = voices.of(reply.language)
    text = printable(reply.text)
    if not text.strip():
        return
    for piece in split(text, TEXT_CHARS_MAX, gsm7_length):
        say = Say(language=tag, voice=voice)
        if voice is not None and voice.startswith(_MARKED):
            _mark(say, piece, _language(reply.language))
        else:
            say.append(in_words(piece, _language(reply.language)))
        yield say


def _mark(say: Say, text: str, language: str) -> None:
    """Add a text in which dates, telephone numbers and codes are marked, so that they are not read as amounts; those are in words."""
    plain, end = "", 0  # the library keeps only the last of two plain texts in a row
    for found in _SAID_AS.finditer(text):
        plain += text[end : found.start()]
        end = found.end()
        if found["money"]:
            plain += money(found, language)
            continue
        if plain:
            say.append(plain)
            plain = ""
        if found["date"]:
            say.say_as(found["date"], interpret_as="date", format="ymd" if found["iso"] else "dmy")
        else:
            say.say_as(found[0], interpret_as="telephone" if found["telephone"] else "digits")
    if plain := plain + text[end:]:
        say.append(plain)


def _document(response: VoiceResponse) -> bytes:
    text: str = response.to_xml()
    return text.encode()
