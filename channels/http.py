"""One attempt to hand a message to a provider over HTTP, and what a failure of it means.

A connection that was never made, an answer that never came and a refusal are told apart here, once for all kinds. Must not try again,
follow redirects, use a proxy of the environment, or repeat what was sent in an error.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import IO, Any

import aiohttp

from core.model.outbound import SendError, SendErrorCode

CONNECT_TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 65_536
RETRY_AFTER_MAX_S = 3_600.0
_KEEP_ALIVE_S = 15.0  # shorter than any provider's, so that an idle connection is closed by us rather than under a message
_AGAIN = {SendErrorCode.THROTTLED, SendErrorCode.PROVIDER_DOWN}  # the latter failed and says so, so nothing was sent
Refusals = Mapping[Any, tuple[SendErrorCode, bool]]  # codes of a provider: ours, and whether our configuration is at fault
UploadedFile = tuple[str, bytes | IO[bytes], str]  # name, content and type


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A provider's answer: status, headers with names in lower case, and the beginning of the body, 64 kB unless more are asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object in the body; empty if there is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def first(self, name: str) -> dict[str, Any]:
        """Return the first object of the list that a member of that object is; empty if there is none."""
        found = self.json_object().get(name)
        return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


class Http:
    """The connections of one channel to its provider, opened on first use; `close` ends them."""

    def __init__(self, *, timeout_s: float, connections: int = 32, answer_bytes_max: int = ANSWER_BYTES_MAX) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=CONNECT_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)
        self._connections = connections
        self._answer_bytes_max = answer_bytes_max
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, object] | None = None,
        document: object = None,
        headers: Mapping[str, str] | None = None,
        files: Mapping[str, UploadedFile] | None = None,
    ) -> HttpAnswer:
        """POST a form, which may have files, or a JSON document once and return the answer; raises `SendError` where there is none."""
        return await self._attempt("POST", url, headers, data=_parts(form or {}, files) if files else form, json=document)

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """GET an address once and return the answer; raises `SendError` where there is none."""
        return await self._attempt("GET", url, headers)

    async def _attempt(self, method: str, url: str, headers: Mapping[str, str] | None, **body: Any) -> HttpAnswer:
        headers = {**(headers or {}), "Accept-Encoding": "identity"}
        try:
            async with self._open().request(method, url, headers=headers, allow_redirects=False, **body) as response:
                lower = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswer(response.status, lower, await _beginning(response.content, self._answer_bytes_max))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise SendError(SendErrorCode.NOT_CONNECTED, retryable=True, detail=type(error).__name__) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise SendError(SendErrorCode.REFUSED, retryable=False, ours=True, detail="the provider's address is no URL") from None
        except aiohttp.ClientResponseError as error:
            raise SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True, detail=type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SendError(SendErrorCode.TIMEOUT, retryable=True, unknown=True, detail=type(error).__name__) from None

    async def close(self) -> None:
        """End all connections; a later `post` opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def basic(credentials: str) -> str:
    """Return the Authorization header for `user:password`."""
    return f"Basic {b64encode(credentials.encode()).decode()}"


def _parts(form: Mapping[str, object], files: Mapping[str, UploadedFile]) -> aiohttp.FormData:
    parts = aiohttp.FormData({name: str(value) for name, value in form.items()})
    for field, (name, content, content_type) in files.items():
        file = BytesIO(content) if isinstance(content, bytes) else content  # which is sent piece by piece
        parts.add_field(field, file, filename=name, content_type=content_type)
    return parts


async def _beginning(stream: aiohttp.StreamReader, most: int) -> bytes:
    body = b""
    while len(body) < most and (chunk := await stream.read(most - len(body))):
        body += chunk
    return body


def refusal(answer: HttpAnswer, provider_code: str = "", *, certain: bool = False) -> SendError:
    """Return the error for an answer that is not 2xx. `certain`: its body shows that the provider itself, not a box before it, answered."""
    status, code = answer.status, provider_code or str(answer.status)
    detail = f"HTTP {status}"
    match status:
        case 401 | 403:
            return SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code=code, detail=detail)
        case 429:
            wish = retry_after_s(answer.headers)
            return SendError(SendErrorCode.THROTTLED, retryable=True, provider_code=code, retry_after_s=wish, detail=detail)
        case 408 | 425:
            return SendError(SendErrorCode.PROVIDER_DOWN, retryable=True, provider_code=code, detail=detail)
        case _ if status >= 500:
            return SendError(
                SendErrorCode.PROVIDER_DOWN,
                retryable=True,
                unknown=not certain and status != 503,
                provider_code=code,
                retry_after_s=retry_after_s(answer.headers),
                detail=detail,
            )
    return SendError(SendErrorCode.REFUSED, retryable=False, ours=status < 400, provider_code=code, detail=detail)


def refused(code: str | int, answer: HttpAnswer, known: Refusals) -> SendError:
    """Return the error for a code of the provider's own; one that is not `known` refuses this message."""
    ours_code, ours = known.get(code, (SendErrorCode.REFUSED, False))
    again = ours_code in _AGAIN
    wish = retry_after_s(answer.headers) if again else None
    return SendError(ours_code, retryable=again, ours=ours, provider_code=str(code)[:40], retry_after_s=wish)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a Retry-After header asks for, 0 to 3,600; None if there is none or it makes no sense.

    A date counts from the answer's own Date header, so no clock of ours takes part.
    """
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
        except (ValueError, TypeError):
            return None
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, RETRY_AFTER_MAX_S)
