"""Judges what is understood of a mail of the collection, mark by mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from channels.mail.parse import parse
from gateway.commands.mail import mail_document
from tests.channels.mail.collection import machines, replies, shapes, written
from tests.channels.mail.collection.case import Case

MARKS = {"headers": 0.97, "body": 0.93, "attachments": 0.95, "new text": 0.90, "kind": 0.98}


def collection() -> list[Case]:
    """Return every mail of the collection."""
    return [*replies.cases(), *written.cases(), *shapes.cases(), *machines.cases()]


def judged(case: Case) -> dict[str, bool]:
    """Return for each mark that the mail is judged by whether it is right."""
    seen = mail_document(parse(case.raw))
    marks = {"kind": seen["kind"] == case.kind}
    if case.headers:
        marks["headers"] = all(seen[name] == value for name, value in case.headers.items())
    if case.body is not None:
        marks["body"] = same(seen["body"], case.body)
    if case.text is not None:
        marks["new text"] = same(seen["text"], case.text)
    if case.attachments is not None:
        marks["attachments"] = [_file(file) for file in seen["attachments"]] == case.attachments
    return marks


def same(one: str, other: str) -> bool:
    """Tell whether two texts have the same words in the same lines; blank lines and spaces do not count."""
    return [line.split() for line in one.splitlines() if line.strip()] == [line.split() for line in other.splitlines() if line.strip()]


def _file(file: dict[str, Any]) -> tuple[str, str, int]:
    return file["name"], file["type"], file["size"]


def score(cases: Iterable[Case]) -> dict[str, float]:
    """Return the share that is right, from 0 to 1, for each mark."""
    right: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for case in cases:
        for mark, good in judged(case).items():
            right[mark] += good
            all_of[mark] += 1
    return {mark: right[mark] / all_of[mark] for mark in all_of}
