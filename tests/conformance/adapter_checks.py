"""What holds for every adapter, as functions that fail by AssertionError; run over the registry, and over broken adapters to prove them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.adapter import Adapter
from core.model.inbound import AuthenticationFailed, InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import OutboundMessage
from core.text.segments import septets
from gateway.commands.parse import event_document
from tests.conformance.hostile import hostile, outcome
from tests.conformance.subject import NOWHERE, PUBLIC_URL, Subject, request_of, saying

Check = Callable[[Subject], None]
SPOKEN = {
    "plain": "balance",
    "empty": "",
    "emoji": "👩‍👩‍👧‍👦 🇰🇪 👍🏽 ok",
    "right to left": "مرحبا، رصيدي؟ שלום",
    "combining": "e\u0301\u0323 Tiê\u0301ng Việt",
    "markup": "</Message><Redirect>http://evil.example</Redirect>&amp; {{7*7}} %(x)s ${x} '; drop table message; --",
    "form signs": "a&b=c+d%20e;f",
    "star": "1*2**3#",
    "100 kB": "saldo €uro " * 9_100,
}


def check_samples(subject: Subject) -> None:
    """Recorded requests are believed and become the expected events, again and again, also without settings."""
    adapter, records = subject.make(NOWHERE), subject.recorded()
    assert records, f"{subject.kind} has no recorded requests"
    assert any("events" in record for record in records)
    for record in records:
        request = subject.authentic(request_of(record))
        adapter.authenticate(request)
        assert parsed(adapter, request) == expected(record), record["name"]
        assert parsed(adapter, request) == expected(record), f"{record['name']}, asked again"
        assert offline(subject, request) == expected(record), f"{record['name']}, without settings"


def check_vocabulary(subject: Subject) -> None:
    """The adapter is of its kind and a message becomes exactly one event with an id of its own."""
    adapter = subject.make(NOWHERE)
    assert isinstance(adapter, Adapter)
    assert adapter.kind == subject.kind
    assert adapter.capabilities.provider_retries
    (event,) = adapter.parse(subject.authentic(subject.says("hello", {})))
    assert isinstance(event, InboundMessage)
    assert event.external_id
    assert event.sender.value


def check_authentic(subject: Subject) -> None:
    """What the provider authenticates is believed, with the new secret and with the old one."""
    adapter, request = subject.make(NOWHERE), subject.says("hello", {})
    adapter.authenticate(subject.authentic(request))
    if subject.authentic_before is not None:
        adapter.authenticate(subject.authentic_before(request))


def check_forgeries(subject: Subject) -> None:
    """What the provider did not authenticate is refused, and as such."""
    adapter, request = subject.make(NOWHERE), subject.says("hello", {})
    assert subject.forgeries
    for name, forge in subject.forgeries.items():
        try:
            adapter.authenticate(forge(request))
        except AuthenticationFailed:
            continue
        raise AssertionError(f"believed: {name}")


def check_texts(subject: Subject) -> None:
    """Whatever a person writes arrives as it was written, and unknown fields do not matter."""
    adapter = subject.make(NOWHERE)
    for name, text in SPOKEN.items():
        for unknown in ({}, {"FutureField": "x", "Ünknown": "ü&="}):
            request = subject.authentic(subject.says(text, unknown))
            adapter.authenticate(request)
            (event,) = adapter.parse(request)
            assert isinstance(event, InboundMessage), name
            assert event.text == subject.heard(text), name


def check_hostile(subject: Subject) -> None:
    """Hostile bodies end in the exceptions of the seam or in events, never in another exception."""
    adapter = subject.make(NOWHERE)
    for request in hostile(subject):
        outcome(adapter, request)


def check_arbitrary_bytes(subject: Subject) -> None:
    """No bytes in body, URL or headers make an adapter raise anything but what the seam names."""
    adapter = subject.make(NOWHERE)
    start = subject.authentic(subject.says("hello", {}))
    names = st.sampled_from(sorted({*start.headers, "content-type", "origin", "x-parley-visitor"}))

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(body=st.binary(max_size=300), header=names, value=st.text(max_size=60), query=st.text(max_size=40), cut=st.integers(0, 400))
    def attempt(body: bytes, header: str, value: str, query: str, cut: int) -> None:
        outcome(adapter, replace(start, body=body))
        outcome(adapter, replace(start, body=start.body[:cut] + body + start.body[cut:]))
        outcome(adapter, replace(start, headers={**start.headers, header: value}))
        outcome(adapter, replace(start, url=f"{PUBLIC_URL}?{query}"))
        outcome(adapter, replace(start, url=query, headers={}, method=value))

    attempt()


def check_secrets_hidden(subject: Subject) -> None:
    """No secret shows in a repr or in what an exception says."""
    adapter = subject.make(NOWHERE)
    shown = [repr(subject.settings), str(subject.settings), repr(adapter), str(adapter), repr(adapter.capabilities)]
    forged = [forge(subject.says("hello", {})) for forge in subject.forgeries.values()]
    for request in [*forged, *hostile(subject)]:
        shown += [text for text in outcome(adapter, request) if text]
    for secret in subject.secrets:
        assert secret, "an empty secret proves nothing"
        assert not [text for text in shown if secret in text], f"a secret of {subject.kind} shows"


def check_acknowledge(subject: Subject) -> None:
    """An inline answer holds the replies within the limits of the channel; any other answer holds none."""
    adapter = subject.make(NOWHERE)
    limit, many = adapter.capabilities.text_max_chars, 3
    assert adapter.acknowledge([]).status < 300
    odd = ["€[]" * limit, "👩‍👩‍👧‍👦" * limit, SPOKEN["markup"], "a\x00b\ufffe\ud800c", "“quoted”…"]
    for text in ["ok", "x" * limit, "x" * (limit + 1), *odd]:
        for ends in (False, True):
            message = saying(subject.message, text, ends_session=ends)
            check_answer(subject, adapter, [message])
            check_answer(subject, adapter, [message] * many)


def check_answer(subject: Subject, adapter: Adapter, messages: list[OutboundMessage]) -> None:
    """One inline answer is repeatable and readable, and keeps to the limits."""
    answer, text = adapter.acknowledge(messages), messages[0].reply.text
    assert answer.status == 200
    assert adapter.acknowledge(messages) == answer
    if not adapter.capabilities.inline_reply:
        assert subject.texts_of is None
        assert b"ok" not in answer.body
        return
    assert subject.texts_of is not None, "the suite cannot read this kind's answers"
    texts = subject.texts_of(answer)
    assert texts
    for said in texts:
        assert len(said) <= adapter.capabilities.text_max_chars
        assert not adapter.capabilities.session or (septets(said) or 0) <= adapter.capabilities.text_max_chars
    if text.isascii() and text.isprintable() and len(text) <= adapter.capabilities.text_max_chars and len(messages) == 1:
        assert texts == [text]


def parsed(adapter: Adapter, request: RawRequest) -> dict[str, Any]:
    """Return what an adapter makes of a request, in the form of the samples."""
    try:
        return {"events": [event_document(event) for event in adapter.parse(request)]}
    except UnreadableRequest as error:
        return {"error": error.code}


def offline(subject: Subject, request: RawRequest) -> dict[str, Any]:
    """Return what the kind's parser makes of a request without an adapter."""
    try:
        return {"events": [event_document(event) for event in subject.offline_parse(request, "KE")]}
    except UnreadableRequest as error:
        return {"error": error.code}


def expected(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a sample expects."""
    return {name: record[name] for name in ("events", "error") if name in record}
