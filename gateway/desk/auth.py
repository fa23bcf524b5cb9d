"""Who calls: sessions in cookies, roles, and proof that a change was asked for by our own page.

Every route of the desk is made by `guarded`, which lets nobody in unless the route says whom. Must not know what a route does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from core import agents
from core.agents import TOUCH_EVERY_MS, AgentRefused, SessionLimits
from core.routing.refused import Refused
from core.store.agents import Agent, Role
from core.store.api import StoreUnavailable
from gateway import pages
from gateway.desk.passwords import PasswordRefused, TooBusy
from gateway.runtime import Gateway

CSRF_HEADER = "X-Parley-Desk"
_STATUS = {"not_found": 404, "not_yours": 403}


@dataclass(frozen=True, slots=True)
class Caller:
    """An agent who is signed in, with the token of the session."""

    agent: Agent
    token: str


class Problem(Exception):
    """An answer that is not what was asked for: HTTP status, stable code, sentence, and plain JSON for the page."""

    def __init__(self, status: int, code: str, text: str, **details: object) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.details = status, code, text, details


Handler = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


class Sessions:
    """The sessions of the desk: cookies on one side, rows on the other."""

    def __init__(self, gateway: Gateway, public_url: str) -> None:
        settings = gateway.settings.desk
        self.limits = SessionLimits(settings.session_idle_s * 1000, settings.session_absolute_s * 1000)
        self._gateway = gateway
        self._origin = public_url
        self.secure = public_url.startswith("https://")
        self.cookie = "__Host-parley_desk" if self.secure else "parley_desk"

    def set_cookie(self, response: web.StreamResponse, name: str, value: str, *, max_age_s: int | None = None) -> None:
        """Give the browser a cookie that scripts cannot read and other sites cannot make it send."""
        response.set_cookie(name, value, path="/", max_age=max_age_s, httponly=True, samesite="Strict", secure=self.secure)

    async def caller(self, request: web.Request) -> Caller | None:
        """Return who is signed in, and note that they are there."""
        token = request.cookies.get(self.cookie, "")
        if not token:
            return None
        at = self._gateway.clock.now_ms()
        session = await self._gateway.store.read(lambda tx: agents.live_session(tx, token, at, self.limits))
        if session is None:
            return None
        if at - session.seen_at >= TOUCH_EVERY_MS and request.method != "GET":
            await self.touch(token)
        return Caller(session.agent, token)

    async def touch(self, token: str) -> None:
        """Note that the agent did something."""
        at = self._gateway.clock.now_ms()
        await self._gateway.store.write(lambda tx: agents.touch_session(tx, token, at))

    def check_same_site(self, request: web.Request) -> None:
        """Refuse what another site's page could have sent: raises `Problem` unless our header is there and the origin is ours."""
        if request.headers.get(CSRF_HEADER) != "1":
            raise Problem(403, "cross_site", f"Requests that change something carry the header {CSRF_HEADER}: 1.")
        self.check_origin(request, required=False)

    def check_origin(self, request: web.Request, *, required: bool) -> None:
        """Raise `Problem` unless the page that sent this came from this gateway."""
        origin = request.headers.get("Origin")
        if origin is None and not required and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin":
            return
        if origin is None or (origin != self._origin and urlsplit(origin).netloc != request.host):
            raise Problem(403, "cross_site", "This request did not come from the desk.")


def guarded(
    sessions: Sessions, role: Role, handler: Handler, *, page: bool = False
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return `handler` for those who are signed in with `role`; a `page` sends others to sign in, the rest answers with a code."""

    async def guard(request: web.Request) -> web.StreamResponse:
        caller = await sessions.caller(request)
        if caller is None:
            if page:
                raise web.HTTPSeeOther("/desk/login")
            return pages.problem(401, "sign_in", "Sign in first.")
        if not caller.agent.role.covers(role):
            if page:
                raise web.HTTPForbidden
            return pages.problem(403, "forbidden", f"This needs the role {role}.")
        return await answered(request, sessions, lambda: handler(request, caller))

    return guard


async def answered(request: web.Request, sessions: Sessions, answer: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Return the answer, after a check of where a change comes from; refusals become answers with a stable code."""
    try:
        if request.method not in {"GET", "HEAD"}:
            sessions.check_same_site(request)
        return await answer()
    except Problem as problem:
        return pages.problem(problem.status, problem.code, problem.text, **problem.details)
    except Refused as refused:
        return pages.problem(_STATUS.get(refused.code, 409), refused.code, str(refused), **refused.details)
    except AgentRefused as refused:
        return pages.problem(_STATUS.get(refused.code, 409), refused.code, str(refused))
    except PasswordRefused as refused:
        return pages.problem(400, "weak_password", str(refused))
    except TooBusy:
        return pages.problem(503, "busy", "Too many people are signing in; try again in a moment.")
    except StoreUnavailable:
        return pages.problem(503, "unavailable", "The record cannot be written right now; nothing was changed. Try again in a moment.")
