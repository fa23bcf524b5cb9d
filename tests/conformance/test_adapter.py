"""Every registered kind of channel passes every check; a kind without recorded requests fails."""

from __future__ import annotations

import pytest

from channels.registry import KINDS
from tests.conformance import adapter_checks as checks
from tests.conformance.sending import check_files, check_injection, check_send
from tests.conformance.subject import subject_of

CHECKS = [
    checks.check_samples,
    checks.check_vocabulary,
    checks.check_authentic,
    checks.check_forgeries,
    checks.check_texts,
    checks.check_hostile,
    checks.check_arbitrary_bytes,
    checks.check_secrets_hidden,
    checks.check_acknowledge,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_adapter(kind: str, check: checks.Check) -> None:
    check(subject_of(kind))


@pytest.mark.parametrize("kind", KINDS)
async def test_sending(kind: str) -> None:
    await check_send(subject_of(kind))


@pytest.mark.parametrize("kind", KINDS)
async def test_files(kind: str) -> None:
    await check_files(subject_of(kind))


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_in_a_message_becomes_a_header_or_a_request(kind: str) -> None:
    await check_injection(subject_of(kind))
