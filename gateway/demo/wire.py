"""The forms that the demo operator's answers share: refusals, money, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

_MSISDN = re.compile(r"\+[1-9][0-9]{6,14}")


class Refusal(Exception):
    """A request that is answered with a TM Forum error body."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason

    def answer(self) -> web.Response:
        """Return the HTTP answer."""
        return web.json_response({"code": self.code, "reason": self.reason, "status": str(self.status)}, status=self.status)


@web.middleware
async def refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer what a handler refuses."""
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except Refusal as refusal:
        return refusal.answer()


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the body; raises `Refusal` if it is not a JSON object."""
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_request", "The body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "bad_request", "The body must be an object")
    return body


def queried(request: web.Request, name: str) -> str:
    """Return the number that the query asks about; raises `Refusal`."""
    msisdn = request.query.get(name, "")
    if _MSISDN.fullmatch(msisdn) is None:
        raise Refusal(400, "bad_request", f"{name} must be a number in E.164")
    return msisdn


def msisdn_of(holder: dict[str, Any], name: str) -> str:
    """Return the number of the first resource in `holder[name]`; raises `Refusal`."""
    match holder.get(name):
        case [{"id": str(msisdn)}, *_] if _MSISDN.fullmatch(msisdn):
            return msisdn
    raise Refusal(400, "bad_request", f"{name} must name one number in E.164")


def units(cents: int) -> float:
    """Return an amount of cents in units of the currency."""
    return cents / 100


def iso(ms: int) -> str:
    """Return a time in ms UTC as ISO 8601."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
