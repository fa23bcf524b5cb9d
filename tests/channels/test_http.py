"""What a provider's refusal means, and how long it asks us to wait."""

from __future__ import annotations

import math

import pytest

from channels.http import Http, HttpAnswer, refusal, retry_after_s
from core.model.outbound import SendError, SendErrorCode

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1000000000"}, 3_600.0),
        ({"retry-after": "inf"}, 3_600.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Thu, 01 Jan 2026 00:02:00 GMT", "date": DATE}, 120.0),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 GMT", "date": DATE}, None),
        ({"retry-after": "Thu, 01 Jan 2026 00:02:00 GMT"}, None),
        ({"retry-after": "Thu, 01 Jan 2026 00:02:00", "date": DATE}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    found = retry_after_s(headers)
    assert found == seconds or (seconds is not None and found is not None and math.isclose(found, seconds))


@pytest.mark.parametrize(
    ("status", "certain", "code", "retryable", "unknown", "ours"),
    [
        (302, False, SendErrorCode.REFUSED, False, False, True),
        (400, False, SendErrorCode.REFUSED, False, False, False),
        (401, False, SendErrorCode.BAD_CREDENTIALS, False, False, True),
        (403, False, SendErrorCode.BAD_CREDENTIALS, False, False, True),
        (404, False, SendErrorCode.REFUSED, False, False, False),
        (408, False, SendErrorCode.PROVIDER_DOWN, True, False, False),
        (429, False, SendErrorCode.THROTTLED, True, False, False),
        (500, False, SendErrorCode.PROVIDER_DOWN, True, True, False),
        (500, True, SendErrorCode.PROVIDER_DOWN, True, False, False),
        (502, False, SendErrorCode.PROVIDER_DOWN, True, True, False),
        (503, False, SendErrorCode.PROVIDER_DOWN, True, False, False),
    ],
)
def test_refusals(status: int, *, certain: bool, code: SendErrorCode, retryable: bool, unknown: bool, ours: bool) -> None:
    error = refusal(HttpAnswer(status, {}, b""), certain=certain)
    assert (error.code, error.retryable, error.unknown, error.ours) == (code, retryable, unknown, ours)
    assert error.provider_code == str(status)


@pytest.mark.parametrize("url", ["http://", "no url", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"])
async def test_an_address_that_is_none_is_our_fault(url: str) -> None:
    http = Http(timeout_s=1)
    with pytest.raises(SendError) as caught:
        await http.post(url, document={})
    await http.close()
    assert caught.value.ours
    assert (caught.value.code, caught.value.retryable, caught.value.unknown) == (SendErrorCode.REFUSED, False, False)


async def test_a_closed_port_is_no_connection() -> None:
    http = Http(timeout_s=1)
    with pytest.raises(SendError) as caught:
        await http.post("http://[::1]:1/", document={})
    await http.close()
    assert (caught.value.code, caught.value.unknown) == (SendErrorCode.NOT_CONNECTED, False)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_reads_as_empty(body: bytes) -> None:
    assert HttpAnswer(200, {}, body).json_object() == {}
