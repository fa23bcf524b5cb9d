"""Reading what a page sent: one JSON object with the fields that are expected, of the types that are expected, and no others."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from aiohttp import web

from core.model.ids import derive
from gateway.desk.auth import Problem

_BODY_BYTES = 65_536
_BODY_TIMEOUT_S = 10.0
_NUMBER_MAX = 2**53
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def fields(request: web.Request, **types: Any) -> dict[str, Any]:
    """Return the fields of a JSON body; a type that admits None makes its field optional. Raises `Problem` bad_request."""
    document = await _document(request)
    unknown = sorted(set(document) - set(types))
    if unknown:
        raise Problem(400, "bad_request", f"There is no field {unknown[0][:40]!r} here.")
    for name, expected in types.items():
        value = document.get(name)
        wrong = not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)
        wrong = wrong or (isinstance(value, int) and not 0 <= value <= _NUMBER_MAX)  # more than a row holds is nobody's number
        if wrong:
            raise Problem(400, "bad_request", f"The field {name!r} is missing or of the wrong type.")
    return {name: document.get(name) for name in types}


async def _document(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", "The body must be JSON.")
    body = await _bytes(request)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(400, "bad_request", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Problem(400, "bad_request", "The body must be an object.")
    return document


async def _bytes(request: web.Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            while not request.content.at_eof():
                body += await request.content.read(_BODY_BYTES + 1 - len(body))
                if len(body) > _BODY_BYTES:
                    raise Problem(413, "too_large", "The body is too large.")
    except TimeoutError:
        raise Problem(408, "too_slow", "The body did not arrive in time.") from None
    return body


def cause(request_id: str, agent_id: str) -> str:
    """Return the cause of what a page asks for under an id of its own choice, so that asking again does nothing again."""
    if not _UUID.fullmatch(request_id):
        raise Problem(400, "bad_request", "The field 'id' must be a UUID in lower case.")
    return derive(request_id, f"desk:{agent_id}")
