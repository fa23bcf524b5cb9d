"""Turns replies into TwiML, with Twilio's library: what is said, in which language and voice, and how the call waits for an answer.

Every document says something. Must not know how a request is parsed, and must not add words of its own but the sentence it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from twilio.twiml import TwiML  # type: ignore[import-untyped]  # the library ships no types
from twilio.twiml.voice_response import (  # type: ignore[import-untyped]  # as above
    Dial,
    Enqueue,
    Gather,
    Hangup,
    Pause,
    Record,
    Redirect,
    Say,
    VoiceResponse,
)

from channels.twilio_hooks import printable, url_about, url_for
from channels.voice_events import DIALLED, HOLD, LEAVE, TAKE, WAITING, WHISPER
from channels.voice_twilio import QUEUE, TEXT_CHARS_MAX
from channels.voice_words import DATE, MONEY, in_words, money
from core.model.address import AddressKind
from core.model.outbound import Listen, OutboundMessage, Reply
from core.text.split import gsm7_length, split

_MARKED = ("Polly.", "Google.")  # the voices that understand marks in a text
_TELEPHONE = r"(?P<telephone>\+\d{7,15}(?!\d))"
_DIGITS = r"(?P<digits>(?<![\d.,+])(?<![A-Z]{3} )\d{5,20}(?!\d|[.,]\d| [A-Z]{3}\b))"  # a code or a number of something, but no money
_SAID_AS = re.compile(f"{MONEY}|{DATE}|{_TELEPHONE}|{_DIGITS}")


_TAKE_S = 8  # in which one of our people takes a call or does not
_WAIT_S = 20  # of silence, before a caller in a queue is spoken to again


@dataclass(frozen=True, slots=True)
class Dials:
    """Where callers are put through by queue, under an empty name for all others; how long a phone rings; what is heard in a queue."""

    targets: Mapping[str, str]
    timeout_s: int
    music: str = ""

    def target(self, transfer: str | None) -> str | None:
        """Return the phone or the queue at Twilio for a queue of ours; a phone is its own."""
        if transfer is None or transfer.startswith("+"):
            return transfer
        return self.targets.get(transfer) or self.targets.get("")


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


class Twiml:
    """The documents of one number. `hook` is its webhook's URL; the answer to a prompt comes there with the prompt's id in the query."""

    def __init__(self, voices: Sequence[str], hook: str, otherwise: str, dials: Dials | None = None) -> None:
        self._voices = Voices(voices)
        self._hook = hook
        self._otherwise = self.last_words(otherwise)
        self._dials = dials or Dials({}, 20)

    def answer(self, messages: Sequence[OutboundMessage]) -> bytes:
        """Return what says the messages and then listens, records, waits, puts through, or hangs up; with nothing to say, last words."""
        said = [saying for message in messages for saying in _sayings(message.reply, self._voices)]
        if not said:
            return self._otherwise
        last = messages[-1]
        reply, response = last.reply, VoiceResponse()
        target = self._dials.target(reply.transfer)
        if any(message.reply.ends_session for message in messages):
            then = [Hangup()]
        elif reply.holds:
            then = [Pause(length=1), Redirect(url_for(self._hook, last.id, HOLD), method="POST")]
        elif target is not None:
            then = [self._enqueue(last, target.removeprefix(QUEUE)) if target.startswith(QUEUE) else self._dial(last, target)]
        elif reply.listen is not None and reply.listen.record_s:
            then = self._record(last, reply.listen)
        else:
            listener = self._listener(last)
            for saying in said:
                listener.append(saying)
            said, then = [], [listener]
        for verb in (*said, *then):
            response.append(verb)
        return _document(response)

    def last_words(self, text: str) -> bytes:
        """Return what says a text in the first of the voices and hangs up."""
        response = VoiceResponse()
        for saying in _sayings(Reply(text, language=self._voices.first), self._voices):
            response.append(saying)
        response.hangup()
        return _document(response)

    def whisper(self, message_id: str, text: str, language: str) -> bytes:
        """Return what tells one of our people what a call is about, and asks for one key; no key is an answer too."""
        response = VoiceResponse()
        gather = Gather(
            input="dtmf",
            action=url_for(self._hook, message_id, TAKE),
            method="POST",
            timeout=_TAKE_S,
            num_digits=1,
            finish_on_key="",
            action_on_empty_result=True,
        )
        for saying in _sayings(Reply(text, language=language or self._voices.first), self._voices):
            gather.append(saying)
        response.append(gather)
        return _document(response)

    def connect(self, *, taken: bool) -> bytes:
        """Return what connects whom we called with the caller, which is a document without verbs, or lets them go."""
        response = VoiceResponse()
        if not taken:
            response.hangup()
        return _document(response)

    def waiting(self, message: OutboundMessage) -> bytes:
        """Return what is said to a caller in a queue while a key may be pressed; at its end Twilio asks again what to say."""
        response = VoiceResponse()
        gather = Gather(
            input="dtmf",
            action=url_for(self._hook, message.id, LEAVE),
            method="POST",
            timeout=1 if self._dials.music else _WAIT_S,
            num_digits=1,
            finish_on_key="",
        )
        for saying in _sayings(message.reply, self._voices):
            gather.append(saying)
        if self._dials.music:
            gather.play(self._dials.music)
        response.append(gather)
        return _document(response)

    def leave(self) -> bytes:
        """Return what takes a caller out of a queue; what is said next, the action of the queue is asked."""
        response = VoiceResponse()
        response.leave()
        return _document(response)

    def _enqueue(self, message: OutboundMessage, name: str) -> Enqueue:
        return Enqueue(
            name=name,
            action=url_for(self._hook, message.id, DIALLED),
            method="POST",
            wait_url=url_for(self._hook, message.id, WAITING),
            wait_url_method="POST",
        )

    def _dial(self, message: OutboundMessage, number: str) -> Dial:
        dial = Dial(
            action=url_for(self._hook, message.id, DIALLED),
            method="POST",
            timeout=self._dials.timeout_s,
            caller_id=message.sender.value if message.sender.kind is AddressKind.MSISDN else None,
        )
        dial.number(number, url=url_for(self._hook, message.id, WHISPER), method="POST")
        return dial

    def _record(self, message: OutboundMessage, listen: Listen) -> list[TwiML]:
        """Return what keeps a spoken message. Where nothing was spoken, Twilio goes past it, and that is told as silence."""
        action = url_about(self._hook, message)
        record = Record(
            action=action,
            method="POST",
            timeout=max(1, ceil(listen.timeout_s)),
            max_length=listen.record_s,
            finish_on_key="#",
            play_beep=True,
            transcribe=False,
        )
        return [record, Redirect(action, method="POST")]

    def _listener(self, message: OutboundMessage) -> Gather:
        """Return what waits for keys and words while the prompt is said; silence comes to the webhook like an answer."""
        reply = message.reply
        listen = reply.listen or Listen()
        by_voice = not (listen.keys_only or reply.sensitive)
        tag, _ = self._voices.of(reply.language)
        return Gather(
            input="dtmf speech" if by_voice else "dtmf",
            action=url_about(self._hook, message),
            method="POST",
            timeout=max(1, ceil(listen.timeout_s)),
            num_digits=listen.digits,
            finish_on_key="" if listen.digits == 1 else "#",  # where one key is the answer, that key may be # as well
            speech_timeout="auto" if by_voice else None,
            language=tag if by_voice else None,
            barge_in=True,
            action_on_empty_result=True,
        )


def _sayings(reply: Reply, voices: Voices) -> Iterator[Say]:
    tag, voice = voices.of(reply.language or voices.first)
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
