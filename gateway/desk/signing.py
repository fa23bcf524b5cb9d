"""Signing in and out, and changing one's own password."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode

from aiohttp import web

from core import agents
from core.agents import normal_login
from core.store.agents import Agent
from gateway import pages
from gateway.desk.auth import Caller, Problem, Sessions, answered
from gateway.desk.body import fields
from gateway.desk.passwords import Passwords
from gateway.desk.throttle import DeviceMarks, Throttle
from gateway.runtime import Gateway
from gateway.webchat_limits import source_of

_DEVICE_LIFE_S = 365 * 86_400
_TOKEN_BYTES = 32


class Signing:
    """The door of the desk."""

    def __init__(self, gateway: Gateway, sessions: Sessions, passwords: Passwords) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = Throttle(time.monotonic)
        self._marks = DeviceMarks(gateway.keys.derive("desk/device"))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Open a session for a login and a password, for the page's script and other programs."""
        return await answered(request, self._sessions, lambda: self._sign_in(request))

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        body = await fields(request, login=str, password=str)
        agent, token = await self._enter(request, body["login"], body["password"])
        response = web.json_response({"agent": {"id": agent.id, "name": agent.name, "role": agent.role}})
        return self._welcome(request, response, agent, token)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Open a session for the form itself, where the script of the page has not run (yet)."""
        try:
            self._sessions.check_origin(request, required=True)
            form = await request.post()
            agent, token = await self._enter(request, str(form.get("login", "")), str(form.get("password", "")))
        except Problem as problem:
            return pages.page(request, "desk_login.html", status=problem.status, problem=problem.text)
        response = web.Response(status=303, headers={"Location": "/desk"})
        return self._welcome(request, response, agent, token)

    async def _enter(self, request: web.Request, name: str, password: str) -> tuple[Agent, str]:
        """Check a password and open a session; return its agent and its token. Raises `Problem`."""
        login, source = normal_login(name), source_of(request.remote or "")
        device = self._device(request, login)
        wait_s = self._throttle.begin(login, source, device=device)
        if wait_s > 0:
            self._gateway.counters.add("desk_sign_ins", outcome="throttled")
            raise Problem(429, "too_many_attempts", "Too many attempts; wait a little.", retry_after_s=int(wait_s) + 1)
        found = await self._gateway.store.read(lambda tx: agents.credentials(tx, login))
        fits = await self._passwords.fits(password, found[1] if found else None)
        if not fits or found is None:
            self._gateway.counters.add("desk_sign_ins", outcome="refused")
            raise Problem(401, "wrong_credentials", "Login or password is wrong.")
        self._throttle.succeeded(login, source, device=device)
        self._gateway.counters.add("desk_sign_ins", outcome="ok")
        agent, token = found[0], self._random(_TOKEN_BYTES)
        replaces, at, limits = request.cookies.get(self._sessions.cookie), self._gateway.clock.now_ms(), self._sessions.limits
        await self._gateway.store.write(lambda tx: agents.open_session(tx, token, agent.id, at, limits, replaces=replaces))
        return agent, token

    def _welcome(self, request: web.Request, response: web.Response, agent: Agent, token: str) -> web.Response:
        self._sessions.set_cookie(response, self._sessions.cookie, token)
        mark = self._marks.make(agent.login, self._device(request, agent.login) or self._random(12))
        self._sessions.set_cookie(response, self._marks.name(agent.login), mark, max_age_s=_DEVICE_LIFE_S)
        return response

    def _device(self, request: web.Request, login: str) -> str | None:
        return self._marks.device(login, request.cookies.get(self._marks.name(login)))

    async def sign_out(self, _: web.Request, caller: Caller) -> web.StreamResponse:
        """End the session."""
        await self._gateway.store.write(lambda tx: agents.end_session(tx, caller.token))
        response = web.json_response({})
        self._sessions.set_cookie(response, self._sessions.cookie, "", max_age_s=0)
        return response

    async def change_password(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Replace one's own password; every session ends, so the page signs in again."""
        body = await fields(request, old=str, new=str)
        login, source = caller.agent.login, source_of(request.remote or "")
        wait_s = self._throttle.begin(login, source, device=caller.agent.id)
        if wait_s > 0:
            raise Problem(429, "too_many_attempts", "Too many attempts; wait a little.", retry_after_s=int(wait_s) + 1)
        found = await self._gateway.store.read(lambda tx: agents.credentials(tx, login))
        if not await self._passwords.fits(body["old"], found[1] if found else None):
            raise Problem(403, "wrong_credentials", "The old password is wrong.")
        self._throttle.succeeded(login, source, device=caller.agent.id)
        new = await self._passwords.hash(body["new"], login=login)
        await self._gateway.store.write(lambda tx: agents.set_password(tx, caller.agent.id, new))
        return web.json_response({})

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Return the page to sign in on; who is signed in goes to the desk."""
        if await self._sessions.caller(request) is not None:
            raise web.HTTPSeeOther("/desk")
        return pages.page(request, "desk_login.html", problem="")

    def _random(self, length: int) -> str:
        return urlsafe_b64encode(self._gateway.clock.random(length)).decode().rstrip("=")
