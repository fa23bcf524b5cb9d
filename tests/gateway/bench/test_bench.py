"""The bench measures what it says: whole and right answers only, on stores that keep every rule of the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from twilio.request_validator import RequestValidator

from core.reports.invariants import check
from core.store.sqlite import open_store
from gateway.bench import traffic, yardsticks
from gateway.bench.fill import fill, queue
from gateway.bench.load import LoadFailed, Plan, apply
from gateway.bench.process import NotStarted, start
from gateway.bench.report import Measured, lines
from gateway.cli import cli


def test_a_filled_store_keeps_every_rule_of_the_record(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    fill(path, 0, 300, 10)
    fill(path, 300, 2, 1_000)
    queue(path, 295, 5)
    store = open_store(path)
    assert store.read_sync(check) == []
    assert store.read_sync(lambda tx: tx.all("pragma foreign_key_check")) == []
    assert store.read_sync(lambda tx: tx.one("select count(*) from message")) == (5_000,)
    assert store.read_sync(lambda tx: tx.one("select count(*) from party")) == (302,)
    store.close()


def test_the_load_generator_counts_right_answers_and_refuses_wrong_ones() -> None:
    running = start(["gateway.bench.yardsticks"])
    try:
        good = apply(Plan(running.port, "bare", {"path": "/bare"}, 8, 0.3, 0.0), None)
        assert good.answers > 100
        assert good.wrong == 0
        assert 0 < good.p50_ms <= good.p99_ms
        few = apply(Plan(running.port, "bare", {"path": "/bare"}, 4, 30.0, 0.0, 50), None)
        assert 50 <= few.answers <= 54
        with pytest.raises(LoadFailed, match="wrong answers"):
            apply(Plan(running.port, "bare", {"path": "/elsewhere"}, 8, 0.2, 0.0), None)
        assert 5 < running.memory_mb() < 500
    finally:
        running.stop()
    with pytest.raises(LoadFailed, match="ConnectionRefusedError"):
        apply(Plan(running.port, "bare", {"path": "/bare"}, 1, 0.2), None)


def test_a_program_that_does_not_start_says_why() -> None:
    with pytest.raises(NotStarted, match="No module named"):
        start(["gateway.bench.nothing"])


def test_messages_are_signed_as_twilio_signs() -> None:
    fields = {"To": "+254711082000", "Body": "żółw & 1+1=2", "From": "+254700000001"}
    url = "http://127.0.0.1:8080/c/sms/x"
    expected = RequestValidator(yardsticks.AUTH_TOKEN).compute_signature(url, fields)
    assert traffic.twilio_signature(yardsticks.AUTH_TOKEN.encode(), url, fields) == expected


def test_every_request_of_a_load_is_new() -> None:
    dial = traffic.ussd("/c/ussd/x", "r", people=7)
    assert len({dial(0).content for _ in range(100)}) == 100


def test_the_table_shows_what_was_missed() -> None:
    table = lines([Measured("one", rps=1_000.4, ratio=0.5, budget=">= 0.6", met=False), Measured("two", seconds=0.1234, met=True)])
    assert table[0].split()[:3] == ["PATH", "RPS", "P50"]
    assert table[1].split() == ["one", "1000", "-", "-", "0.500", "-", "-", "-", ">=", "0.6", "MISSED"]
    assert "0.123" in table[2]


@pytest.mark.long
def test_the_command_measures_a_real_gateway() -> None:
    done = CliRunner().invoke(cli, ["bench", "--json", "--seconds", "0.2", "--paths", "ussd,start"], catch_exceptions=False)
    measured = json.loads(done.stdout)
    assert [line["path"] for line in measured] == [
        "bare aiohttp handler",
        "Twilio's library alone",
        "USSD turn, durable",
        "USSD turn, p99",
        "start to first answer",
        "memory, idle",
    ]
    assert all({"path", "rps", "p50_ms", "p99_ms", "ratio", "budget"} <= line.keys() for line in measured)
    assert measured[2]["rps"] > 0
    assert done.exit_code in {0, 1}


def test_an_unknown_path_is_a_mistake_of_use() -> None:
    done = CliRunner().invoke(cli, ["bench", "--paths", "nothing"])
    assert done.exit_code == 2
    assert "choose from ussd, sms" in done.output
