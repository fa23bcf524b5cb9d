"""Every kind of channel has a quality file that is whole and true, and the support matrix shows what the files say."""

from __future__ import annotations

import pytest

from channels.registry import KINDS
from tests.house import quality
from tests.house.sources import ROOT

MATRIX = ROOT / "docs" / "support-matrix.md"


def test_every_kind_has_a_file_and_every_file_a_kind() -> None:
    assert quality.kinds_with_files() == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_speaks_of_every_rule_and_of_no_other(kind: str) -> None:
    said = quality.verdicts(kind)
    assert list(said) == list(quality.rules())
    assert {verdict.state for verdict in said.values()} <= set(quality.STATES)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_done_has_a_reason_and_a_test_that_is_named_exists(kind: str) -> None:
    for rule, verdict in quality.verdicts(kind).items():
        if verdict.state != "done":
            assert verdict.text.endswith("."), rule
        elif verdict.text:
            assert kind in (ROOT / verdict.text).read_text(encoding="utf-8"), f"{verdict.text} is not about {kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_gateway_is_shown_by_a_test(kind: str) -> None:
    whole = quality.verdicts(kind)["whole"]
    assert whole.state == "exempt" or (ROOT / whole.text).is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_be_seen_is_so(kind: str) -> None:
    said, seen = quality.verdicts(kind), quality.seen(kind)
    wrong = {}
    for rule, holds in quality.CHECKED.items():
        shown_by_a_test = said[rule].state == "done" and said[rule].text
        if not shown_by_a_test and (said[rule].state == "done") is not holds(seen):
            wrong[rule] = said[rule].state
    assert wrong == {}


def test_the_rules_that_can_be_seen_are_rules() -> None:
    assert set(quality.CHECKED) <= set(quality.rules())


def test_the_matrix_is_current(pytestconfig: pytest.Config) -> None:
    made = quality.matrix()
    if pytestconfig.getoption("--update"):
        MATRIX.write_text(made, encoding="utf-8")
    assert MATRIX.read_text(encoding="utf-8") == made, "run: ./parley test tests/house/test_quality.py --update"
