"""Actions of flows that are nothing but entries in the record: they run within the turn, in its transaction.

A flow names them like any other action. Each takes the scene and the slots, and answers with slot events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.identity import code_limits, codes, people
from core.model.address import Address, AddressKind
from core.model.channel import Channel
from core.model.outbound import Author, Reply
from core.record import Link, say
from core.store import cases, parties
from core.store.api import Tx
from core.store.conversations import Person
from core.store.events import append

CASES_SHOWN = 5
CASE_TEXT_CHARS = 24
CASE_STATUS = {
    "en": {"acknowledged": "received", "in_progress": "in progress", "resolved": "resolved", "closed": "closed"},
    "fr": {"acknowledged": "recue", "in_progress": "en cours", "resolved": "resolue", "closed": "close"},
    "sw": {"acknowledged": "limepokelewa", "in_progress": "linashughulikiwa", "resolved": "limetatuliwa", "closed": "limefungwa"},
}
CODE_TEXT = {
    "en": "{operator}: your code is {code}. It is valid for 5 minutes. Do not share it.",
    "fr": "{operator} : votre code est {code}. Il est valable 5 minutes. Ne le partagez pas.",
    "sw": "{operator}: namba yako ya siri ni {code}. Itatumika kwa dakika 5. Usimpe mtu yeyote.",
}


@dataclass(slots=True)
class RecordScope:
    """What a record action may use. It may replace `person` when it finds that they are somebody known."""

    person: Person
    link: Link
    channels: Mapping[str, Channel]
    cause: str
    at: int
    country: str
    operator: str
    language: str
    code_key: bytes
    codes_a_day: int = codes.ALL_A_DAY_MAX
    proved: str = ""  # the number that the message of this turn has proved to be the person's


Slots = Mapping[str, Any]
RecordAction = Callable[[Tx, RecordScope, Slots], Slots]


def open_case(tx: Tx, scope: RecordScope, slots: Slots) -> Slots:
    """Open a case from case_kind and case_description; sets case_number."""
    case_id = scope.cause
    number = cases.open_one(
        tx,
        case_id,
        party_id=scope.person.party_id,
        interaction_id=scope.link.interaction_id,
        kind=str(slots.get("case_kind") or "other"),
        description=str(slots.get("case_description") or ""),
        severity=str(slots.get("case_severity") or "normal"),
        at=scope.at,
    )
    append(tx, scope.person.conversation, "case.opened", scope.at, ref=case_id, body={"number": number})
    return {"case_number": str(number)}


def list_cases(tx: Tx, scope: RecordScope, _: Slots) -> Slots:
    """Look up the person's cases; sets case_count and case_summary."""
    found = cases.of_party(tx, scope.person.party_id, CASES_SHOWN)
    words = CASE_STATUS.get(scope.language, CASE_STATUS["en"])
    lines = [f"{case['number']} {case['description'][:CASE_TEXT_CHARS].strip()}: {words[case['status']]}" for case in found]
    return {"case_count": len(found), "case_summary": "\n".join(lines) or None}


def send_code(tx: Tx, scope: RecordScope, slots: Slots) -> Slots:
    """Send a one-time code by SMS to verify_msisdn; sets code_sent and code_problem, or number_verified if no code is needed."""
    written, problem = codes.sendable_number(str(slots.get("verify_msisdn") or ""), scope.country)
    if written and written == scope.proved:
        return {"code_sent": False, "code_problem": None, "number_verified": True}
    address = Address(AddressKind.MSISDN, written)
    sms = None if problem else _sms(scope, address)
    if problem is None and sms is None:
        problem = "not_allowed"
    if problem is not None or sms is None:
        return {"code_sent": False, "code_problem": problem}
    made = codes.make(tx, scope.code_key, scope.cause, scope.person.party_id, address, "verify", scope.at, scope.codes_a_day)
    if made.stop is not None:
        body = {"range": made.stop.range, "until": made.stop.until}
        append(tx, scope.person.conversation, "codes.stopped", scope.at, body=body)
    if made.problem is not None:
        return {"code_sent": False, "code_problem": made.problem}
    text = CODE_TEXT.get(scope.language, CODE_TEXT["en"])
    text = text.replace("{operator}", scope.operator).replace("{code}", made.code)
    say(
        tx,
        scope.person.conversation,
        sms,
        Reply(text, language=scope.language, sensitive=True),
        author=Author.SYSTEM,
        cause=scope.cause,
        ordinal="code",
        at=scope.at,
        on_unknown="once",
        life_ms=codes.LIFE_MS,
    )
    return {"code_sent": True, "code_problem": None}


def check_code(tx: Tx, scope: RecordScope, slots: Slots) -> Slots:
    """Check verification_code; sets number_verified. A right one joins the person with the owner of the number."""
    code = "".join(character for character in str(slots.get("verification_code") or "") if character.isdigit())
    proved = codes.check(tx, scope.code_key, scope.person.party_id, "verify", code, scope.at)
    if proved is None:
        if code_limits.locked_at(tx, scope.person.party_id) == scope.at:
            append(tx, scope.person.conversation, "codes.locked", scope.at)
        return {"number_verified": False}
    address = Address(AddressKind.MSISDN, proved)
    scope.person = people.prove(tx, scope.person, address, scope.link.channel.id, scope.cause, scope.at)
    return {"number_verified": True}


def set_name(tx: Tx, scope: RecordScope, slots: Slots) -> Slots:
    """Note customer_name as the person's name."""
    name = " ".join(str(slots.get("customer_name") or "").split())[:80]
    if name:
        parties.set_name(tx, scope.person.party_id, name)
        scope.person.name = name
    return {}


def opt_out(tx: Tx, scope: RecordScope, _: Slots) -> Slots:
    """Note that messages to this address are refused."""
    set_consent(tx, scope.person, opted_in=False, at=scope.at)
    return {}


def opt_in(tx: Tx, scope: RecordScope, _: Slots) -> Slots:
    """Note that messages to this address are welcome again."""
    set_consent(tx, scope.person, opted_in=True, at=scope.at)
    return {}


def set_consent(tx: Tx, person: Person, *, opted_in: bool, at: int) -> None:
    """Note what a person said about messages to their address."""
    parties.set_opted_out(tx, person.medium_id, None if opted_in else at)
    person.opted_out = not opted_in
    append(tx, person.conversation, "consent.changed", at, body={"opted_in": opted_in})


def _sms(scope: RecordScope, address: Address) -> Link | None:
    for channel in scope.channels.values():
        if channel.reaches is AddressKind.MSISDN and channel.capabilities.outbound:
            return Link(channel, address, scope.link.interaction_id)
    return None


RECORD_ACTIONS: Mapping[str, RecordAction] = {
    "action_open_case": open_case,
    "action_list_cases": list_cases,
    "action_send_code": send_code,
    "action_check_code": check_code,
    "action_set_name": set_name,
    "action_opt_out": opt_out,
    "action_opt_in": opt_in,
}
