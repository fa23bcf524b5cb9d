"""The locks: exact, hashed, without the name of any host, and in step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib

import pytest

from gateway.version import VERSION
from tests.house.sources import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"([a-z0-9-]+)==(\S+)")


def pins(lock: str) -> dict[str, str]:
    """Return the version of every package of a lock."""
    return dict(match.groups() for match in map(PIN.match, (ROOT / lock).read_text().splitlines()) if match)


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", requirement)[0].lower().replace(".", "-").replace("_", "-") for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"https?://|file:|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text())
    assert [block.splitlines()[0] for block in blocks if not (PIN.match(block) and "--hash=sha256:" in block)] == []


def test_everything_asked_for_is_locked() -> None:
    assert named(PROJECT["project"]["dependencies"]) - set(pins("requirements.lock")) == set()
    assert named(PROJECT["dependency-groups"]["dev"]) - set(pins("requirements-dev.lock")) == set()


def test_the_tests_run_on_what_customers_get() -> None:
    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {package: dev.get(package) for package in run} == run


def test_one_version() -> None:
    assert PROJECT["project"]["version"] == VERSION
