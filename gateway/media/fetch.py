"""Fetches one attachment from where an adapter says it is, and from nowhere else.

Whatever is in the reference may come from a stranger: each hop is checked against the hosts of the provider, every connection against
the addresses that may be asked, and secrets go to the provider's own address only. Must not log or repeat an address, try again, or
look into what it got.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import aiohttp
from yarl import URL

from channels.http import CONNECT_TIMEOUT_S, retry_after_s
from core.model.adapter import MediaSource
from gateway.media.guard import UnsafeAddress, connector

TIMEOUT_S = 60.0
REDIRECTS_MAX = 3
URL_CHARS_MAX = 4_096
PORTS = frozenset({443, 8443})
_CHUNK = 65_536
_STATUS = {401: "bad_credentials", 403: "bad_credentials", 404: "gone", 408: "provider_down", 410: "gone", 425: "provider_down"}


class FetchFailed(Exception):
    """A try came to nothing. `code` is stable; `final`: no other try can help; `retry_after_s` is the provider's wish."""

    def __init__(self, code: str, *, final: bool, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.final = final
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class _Rules:
    """What holds for all hops of one fetch: the hosts, the origins that the operator configured, and the origin that knows our secret."""

    hosts: frozenset[str]
    own: frozenset[str]
    home: str


class Fetcher:
    """The connections for attachments; `close` ends them."""

    def __init__(self, max_bytes: int, timeout_s: float = TIMEOUT_S) -> None:
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=CONNECT_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)
        self._guarded: aiohttp.ClientSession | None = None
        self._plain: aiohttp.ClientSession | None = None

    async def fetch(self, source: MediaSource, own: Collection[str] = ()) -> bytes:
        """Return the content; raises `FetchFailed`. `own` are origins that the operator configured, which may be anywhere."""
        try:
            async with asyncio.timeout(self._timeout_s):  # all hops together
                return await self._fetch(source, frozenset(own))
        except UnsafeAddress:
            raise FetchFailed("unsafe_address", final=True) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise FetchFailed("not_connected", final=False) from None
        except (aiohttp.InvalidURL, ValueError):
            raise FetchFailed("bad_url", final=True) from None
        except TimeoutError:
            raise FetchFailed("timeout", final=False) from None
        except (aiohttp.ClientError, OSError):
            raise FetchFailed("unreadable_answer", final=False) from None

    async def _fetch(self, source: MediaSource, own: frozenset[str]) -> bytes:
        url = _parsed(source.url)
        at_home = bool(source.hosts) and _host(url) == source.hosts[0]
        rules = _Rules(frozenset(source.hosts), own, _origin(url) if at_home else "")
        for _ in range(REDIRECTS_MAX + 1):
            _check(url, rules)
            origin = _origin(url)
            headers = {"Accept-Encoding": "identity"} | (dict(source.headers) if origin == rules.home else {})
            session = self._session(guarded=origin not in own)
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status == 200:
                    return await self._body(answer)
                if answer.status not in {301, 302, 303, 307, 308}:
                    raise _refusal(answer)
                url = url.join(_parsed(answer.headers.get("Location", ""), relative=True))
        raise FetchFailed("too_many_redirects", final=True)

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return a body as it was sent; a packed one was not asked for, and is not unpacked."""
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchFailed("unreadable_answer", final=True)
        if (answer.content_length or 0) > self._max_bytes:
            raise FetchFailed("too_large", final=True)
        body = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise FetchFailed("too_large", final=True)
        return bytes(body)

    async def close(self) -> None:
        """End all connections; a later `fetch` opens new ones."""
        sessions = (self._guarded, self._plain)
        self._guarded = self._plain = None
        for session in sessions:
            if session is not None:
                await session.close()

    def _session(self, *, guarded: bool) -> aiohttp.ClientSession:
        known = self._guarded if guarded else self._plain
        if known is not None:
            return known
        made = aiohttp.ClientSession(
            timeout=self._timeout,
            connector=connector(guarded=guarded),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        if guarded:
            self._guarded = made
        else:
            self._plain = made
        return made


def origin_of(text: str) -> str:
    """Return the origin of an address that an operator configured, empty if it is none."""
    try:
        return _origin(URL(text))
    except ValueError:
        return ""


def _origin(url: URL) -> str:
    return str(url.origin())


def _host(url: URL) -> str:
    return (url.raw_host or "").lower()


def _parsed(text: str, *, relative: bool = False) -> URL:
    """Return an address that means the same to everyone who reads it; raises ValueError."""
    if not text or len(text) > URL_CHARS_MAX or not text.isascii() or not text.isprintable() or "\\" in text or " " in text:
        raise ValueError("no plain address")
    url = URL(text, encoded=True)
    if not relative and not url.absolute:
        raise ValueError("no whole address")
    return url


def _check(url: URL, rules: _Rules) -> None:
    """Raise `FetchFailed` unless this may be asked."""
    if url.raw_user is not None or url.raw_password is not None or not url.raw_host:
        raise FetchFailed("bad_url", final=True)
    if _origin(url) in rules.own:
        return
    if url.scheme != "https" or url.port not in PORTS:
        raise FetchFailed("bad_url", final=True)
    if _host(url) not in rules.hosts:
        raise FetchFailed("host_refused", final=True)


def _refusal(answer: aiohttp.ClientResponse) -> FetchFailed:
    status = answer.status
    code = _STATUS.get(status) or ("throttled" if status == 429 else "provider_down" if status >= 500 else "refused")
    wish = retry_after_s({name.lower(): value for name, value in answer.headers.items()})
    return FetchFailed(code, final=status == 410 or code == "refused", retry_after_s=wish)
