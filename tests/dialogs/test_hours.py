"""When people are at work: days and times as settings give them, and what a case says that is opened for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dialogs.hours import load_hours
from dialogs.loader import ProjectWrong, load_project
from dialogs.source import Problems, read_file
from tests.golden.player import Player, engine_of

NAIROBI = ZoneInfo("Africa/Nairobi")
WEEK = """\
hours:
  mon-fri: [08:00-12:00, 13:00-17:00]
  sat: 22:00-02:00
  closed: [2026-01-05]
"""


def opens(tmp_path: Path, text: str, now: str) -> str | None:
    path = tmp_path / "gateway.yml"
    path.write_text(text, "utf-8")
    problems = Problems()
    hours = load_hours(read_file(path, "gateway.yml", problems), "hours", "gateway.yml", problems)
    problems.raise_if_any()
    assert hours is not None
    found = hours.opens_next(datetime.fromisoformat(now).replace(tzinfo=NAIROBI))
    return None if found is None else f"{found:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-01T08:00", None),
        ("2026-01-01T07:59", "2026-01-01 08:00"),
        ("2026-01-01T11:59", None),
        ("2026-01-01T12:00", "2026-01-01 13:00"),
        ("2026-01-01T17:00", "2026-01-02 08:00"),
        ("2026-01-03T23:30", None),  # Saturday night
        ("2026-01-04T01:59", None),
        ("2026-01-04T02:00", "2026-01-06 08:00"),  # Monday is a day off
        ("2026-01-05T09:00", "2026-01-06 08:00"),
    ],
)
def test_open_or_when_next(tmp_path: Path, now: str, expected: str | None) -> None:
    assert opens(tmp_path, WEEK, now) == expected


def test_times_are_local_when_the_clocks_change(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yml"
    path.write_text("hours: {sun: 08:00-12:00}", "utf-8")
    hours = load_hours(read_file(path, "gateway.yml", Problems()), "hours", "gateway.yml", Problems())
    assert hours is not None
    paris = ZoneInfo("Europe/Paris")
    found = hours.opens_next(datetime(2026, 3, 28, 20, 0, tzinfo=paris))
    assert found is not None
    assert found.isoformat() == "2026-03-29T08:00:00+02:00"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("hours: {monday: 08:00-12:00}", "'monday' is no day"),
        ("hours: {fri-mon: 08:00-12:00}", "'fri-mon' is no day"),
        ("hours: {mon: all day}", "'all day' is no time of opening"),
        ("hours: {mon: 08:00-25:00}", "'08:00-25:00' is no time of opening"),
        ("hours: {mon: 08:00-08:00}", "'08:00-08:00' is no time of opening"),
        ("hours: {closed: [2026-01-05]}", "names no time at which people are there"),
        ("hours: {mon: 08:00-12:00, closed: [easter]}", "'easter' is no date"),
        ("hours: 08:00-12:00", "must be a mapping"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ProjectWrong, match=mistake):
        opens(tmp_path, text, "2026-01-01T08:00")


def test_a_queue_that_no_flow_names_and_a_proof_that_people_are_asked_for_are_mistakes(tmp_path: Path) -> None:
    office = Path(__file__).parent / "projects" / "office"
    for path in office.iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    with (tmp_path / "gateway.yml").open("a") as settings:
        settings.write("slots: {amount: {proof: true}}\n")
    (tmp_path / "gateway.yml").write_text((tmp_path / "gateway.yml").read_text("utf-8").replace("claims: {mon", "clams: {mon"), "utf-8")
    with pytest.raises(ProjectWrong) as wrong:
        load_project(tmp_path)
    assert sorted(problem.text for problem in wrong.value.problems) == [
        "queues: no flow names the queue 'clams'",
        "slots: 'amount' is a proof, so no flow may ask people for it",
    ]


@pytest.mark.parametrize(
    ("language", "description"),
    [("en", "Call back: claim (amount: 50)"), ("fr", "Rappel : réclamation (amount: 50)"), ("sw", "Kupigiwa simu: dai (amount: 50)")],
)
def test_a_case_for_people_says_what_was_wanted_and_told(language: str, description: str) -> None:
    player = Player(engine_of("office"), {"channel": "web", "language": language})
    player.play({"say": "claim"})
    player.play({"say": "50"})
    player.play({"done": {"error": "timeout"}})
    player.play({"say": "agent"})
    player.play({"say": "1"})
    assert player.running is not None
    assert player.running.name == "action_open_case"
    slots = player.running.tracker["slots"]
    assert (slots["case_kind"], slots["case_description"]) == ("callback", description)
