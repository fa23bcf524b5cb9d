"""Reads a file that is the body of a request, as far as it may be large and as long as it may take. Must not look into it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from gateway.media.contents import ContentRefused

TIMEOUT_S = 60.0
_CHUNK = 65_536


async def file_of(request: web.Request, most: int) -> bytes:
    """Return the body; raises `ContentRefused` too_large for one of more than `most` bytes, and TimeoutError for one that does not end."""
    body = bytearray()
    if (request.content_length or 0) > most:
        raise ContentRefused("too_large")
    async with asyncio.timeout(TIMEOUT_S):
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > most:
                raise ContentRefused("too_large")
    return bytes(body)
