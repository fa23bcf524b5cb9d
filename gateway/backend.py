"""The operator's systems over HTTP, as actions see them: one request at a time, bounded in time and size.

It follows no redirect, uses no proxy of the environment, and never repeats a request: that is the runner's decision.
"""

from __future__ import annotations

import json as jsonlib
from typing import Any

import aiohttp

from dialogs.actions.context import BackendUnavailable

CONNECT_S = 2.0
ANSWER_MAX_BYTES = 65_536


class HttpBackend:
    """A dialogs `Backend` below one base URL; make it on the event loop, close it at the end."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            trust_env=False,
            auto_decompress=False,  # nothing compressed is asked for, and a small body must not become a big one
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(self, method: str, path: str, *, json: Any = None, key: str | None = None, timeout_s: float) -> tuple[int, Any]:
        """Make one request of at most `timeout_s` seconds; return status and JSON body (None if empty). Raises `BackendUnavailable`."""
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            async with self._session.request(
                method,
                self._base + path,
                json=json,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(CONNECT_S, timeout_s)),
            ) as answer:
                body = await _read(answer)
                status = answer.status
        except aiohttp.ClientConnectorError as error:
            raise BackendUnavailable("not_connected") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise BackendUnavailable("not_connected") from error
        except TimeoutError as error:
            raise BackendUnavailable("timeout") from error
        except aiohttp.ClientError as error:
            raise BackendUnavailable("broken") from error
        if status >= 500 or status == 429:
            raise BackendUnavailable("server_error")
        if 300 <= status < 400:
            raise BackendUnavailable("unreadable")
        return status, _parsed(body)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > ANSWER_MAX_BYTES:
            raise BackendUnavailable("too_large")
    return bytes(body)


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return jsonlib.loads(body)
    except (ValueError, RecursionError) as error:
        raise BackendUnavailable("unreadable") from error
