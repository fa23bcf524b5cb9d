"""The marks that understanding mail must reach on the collection, on the half that was never looked at too."""

from __future__ import annotations

import dataclasses

import pytest

from channels.mail.parse import parse
from tests.channels.mail.collection.machines import COMPLAINTS
from tests.channels.mail.collection.returned import BOUNCES
from tests.channels.mail.collection.scoring import MARKS, collection, judged, score

CASES = collection()


def test_the_collection_is_large_and_half_of_it_unseen() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 400
    assert 0.4 < sum(case.held_out for case in CASES) / len(CASES) < 0.6


@pytest.mark.parametrize("held_out", [False, True])
def test_the_marks_are_reached(held_out: bool) -> None:  # noqa: FBT001
    shares = score(case for case in CASES if case.held_out is held_out)
    print(f"held out: {held_out}", {mark: f"{share:.1%}" for mark, share in shares.items()})
    assert {mark: share for mark, share in shares.items() if share < MARKS[mark]} == {}


def test_no_machine_is_taken_for_a_person_and_no_person_for_a_machine() -> None:
    assert [case.name for case in CASES if not judged(case)["kind"]] == []


@pytest.mark.parametrize("mark", MARKS)
def test_the_judge_has_teeth(mark: str) -> None:
    case = next(case for case in CASES if mark in judged(case))
    wrong = dataclasses.replace(
        case, text="other", body="other", kind="list", headers={"from": "other@x.example"}, attachments=[("other", "image/png", 1)]
    )
    assert judged(wrong)[mark] is False


@pytest.mark.parametrize("name", BOUNCES)
def test_a_bounce_names_address_status_and_mail(name: str) -> None:
    raw, status, permanent = BOUNCES[name]
    (failure,) = parse(raw.encode()).failures
    assert (failure.address, failure.status, failure.permanent) == ("anna@customer.example", status, permanent)
    assert failure.message_id in {"sent-7@operator.example", ""}
    assert bool(failure.message_id) is ("sent-7" in raw)


def test_a_letter_without_an_address_is_about_those_whom_its_header_names() -> None:
    raw = (
        b"From: MAILER-DAEMON@mx.example\nX-Failed-Recipients: anna@customer.example, bob@customer.example\nSubject: failed\n\nIt failed.\n"
    )
    assert [failure.address for failure in parse(raw).failures] == ["anna@customer.example", "bob@customer.example"]


def test_an_address_in_a_domain_with_an_underscore_is_whole() -> None:
    raw = b"From: MAILER-DAEMON@mx.example\nSubject: failed\n\nNot delivered:\n<anna@old_server.example>: 550 5.1.1 host not found\n"
    assert [failure.address for failure in parse(raw).failures] == ["anna@old_server.example"]


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_complaint_names_the_address_and_the_mail(name: str) -> None:
    (failure,) = parse(COMPLAINTS[name].encode()).failures
    assert (failure.address, failure.message_id) == ("anna@customer.example", "sent-7@operator.example")
