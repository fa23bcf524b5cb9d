"""When people are at work, as a project's settings say: for a flow, for a queue, or for all of it; and when they come back.

It knows no clock: the time is given to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dialogs.source import Map, Problems

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY_MINUTES = 24 * 60
_LOOK_AHEAD_DAYS = 60

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hours:
    """The opening times of a week from Monday, in minutes of the day, and the days on which nobody is there at all."""

    week: tuple[tuple[Span, ...], ...]
    closed: frozenset[date] = frozenset()

    def opens_next(self, now: datetime) -> datetime | None:
        """Return when people are back; None if they are there at `now`, or for two months are not. `now` is local time."""
        minute = now.hour * 60 + now.minute
        for ahead in range(_LOOK_AHEAD_DAYS):
            day = now.date() + timedelta(days=ahead)
            for start, end in () if day in self.closed else self.week[day.weekday()]:
                if ahead == 0 and start <= minute < end:
                    return None
                if ahead > 0 or minute < start:
                    return datetime.combine(day, time(start // 60, start % 60), now.tzinfo)
        return None


def load_hours(settings: Map, key: str, what: str, problems: Problems) -> Hours | None:
    """Compile the mapping of days to times under `key`; None if there is none."""
    if key not in settings:
        return None
    node = problems.mapping(settings, key, what)
    week: list[list[Span]] = [[] for _ in _DAYS]
    for name, value in node.items():
        if name == "closed":
            continue
        days = _days(name)
        if not days:
            problems.add(node, f"'{name}' is no day: write one of {', '.join(_DAYS)}, two of them as in mon-fri, or closed", name)
        for text in value if isinstance(value, list) else (value,):
            span = _span(text)
            if span is None:
                problems.add(node, f"'{text}' is no time of opening: write 08:00-18:00", name)
                continue
            for day in days:
                _open(week, day, span)
    if not any(week):
        problems.add(settings, f"{what}: '{key}' names no time at which people are there", key)
    return Hours(tuple(tuple(sorted(spans)) for spans in week), frozenset(_closed(node, problems)))


def load_queue_hours(settings: Map, problems: Problems) -> Mapping[str, Hours]:
    """Compile `queues`: the hours of each queue that has its own."""
    queues = problems.mapping(settings, "queues", "gateway.yml")
    found = {name: load_hours(queues, name, "queues", problems) for name in queues}
    return {name: hours for name, hours in found.items() if hours is not None}


def _days(name: str) -> range:
    first, _, last = name.partition("-")
    last = last or first
    if first not in _DAYS or last not in _DAYS or _DAYS.index(last) < _DAYS.index(first):
        return range(0)
    return range(_DAYS.index(first), _DAYS.index(last) + 1)


def _span(text: object) -> Span | None:
    match = _SPAN.fullmatch(str(text))
    if match is None:
        return None
    hours, minutes, until_hours, until_minutes = map(int, match.groups())
    start, end = hours * 60 + minutes, until_hours * 60 + until_minutes
    valid = minutes < 60 and until_minutes < 60 and start < _DAY_MINUTES and end <= _DAY_MINUTES and start != end
    return (start, end) if valid else None


def _open(week: list[list[Span]], day: int, span: Span) -> None:
    """Note one opening; a time that ends before it begins goes on after midnight."""
    start, end = span
    if start < end:
        week[day].append(span)
        return
    week[day].append((start, _DAY_MINUTES))
    if end:
        week[(day + 1) % 7].append((0, end))


def _closed(node: Map, problems: Problems) -> list[date]:
    found = []
    for text in problems.sequence(node, "closed", "hours"):
        try:
            found.append(date.fromisoformat(str(text)))
        except ValueError:
            problems.add(node, f"'{text}' is no date: write 2026-12-25", "closed")
    return found
