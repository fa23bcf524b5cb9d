"""The JSON interface of the desk for accounts; for admins only, which the routes say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from core import agents
from core.store.agents import Agent
from core.store.api import Tx
from gateway.desk.auth import Caller, Problem
from gateway.desk.body import fields
from gateway.desk.passwords import Passwords
from gateway.runtime import Gateway


def document(agent: Agent) -> dict[str, Any]:
    """Return an account for the page; the password hash is not part of an `Agent`."""
    return {
        "id": agent.id,
        "login": agent.login,
        "name": agent.name,
        "role": agent.role,
        "created_at": agent.created_at,
        "disabled_at": agent.disabled_at,
        "phone": agent.phone,
    }


def phone_of(text: str, country: str) -> str | None:
    """Return a phone number, written in any way, in E.164, None for no number; raises `Problem` bad_phone."""
    from channels.numbers import msisdn  # noqa: PLC0415 - the phone number library is slow to import

    if not text.strip():
        return None
    number = msisdn(text, country)
    if number is None:
        raise Problem(400, "bad_phone", "This is no phone number.")
    return number.value


class Accounts:
    """Handlers of one gateway; `changed` is called after an account lost a right, so that open feeds are checked at once."""

    def __init__(self, gateway: Gateway, passwords: Passwords, changed: Callable[[], None]) -> None:
        self._gateway = gateway
        self._passwords = passwords
        self._changed = changed

    async def everyone(self, _: web.Request, __: Caller) -> web.StreamResponse:
        """Answer with every account."""
        return web.json_response({"agents": [document(one) for one in await self._gateway.store.read(agents.list_agents)]})

    async def add(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Create an account."""
        body = await fields(request, login=str, name=str, role=str, password=str)
        password_hash = await self._passwords.hash(body["password"], login=agents.normal_login(body["login"]))
        agent_id, at = self._gateway.clock.new_id(), self._gateway.clock.now_ms()
        added = await self._gateway.store.write(
            lambda tx: agents.add(tx, agent_id, body["login"], body["name"], body["role"], password_hash, at)
        )
        return web.json_response({"agent": document(added)}, status=201)

    async def disable(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Close an account; its sessions end and its work goes back to the queue."""
        at = self._gateway.clock.now_ms()
        return await self._change(request, lambda tx, agent_id: agents.disable(tx, agent_id, at))

    async def enable(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Open a disabled account again."""
        return await self._change(request, agents.enable)

    async def _change(self, request: web.Request, change: Callable[[Tx, str], Agent]) -> web.StreamResponse:
        await fields(request)
        agent_id = request.match_info["agent"]
        changed = await self._gateway.store.write(lambda tx: change(tx, agent_id))
        self._gateway.hints.wake("events")
        self._changed()
        return web.json_response({"agent": document(changed)})

    async def set_role(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Give an account another role."""
        body = await fields(request, role=str)
        agent_id = request.match_info["agent"]
        changed = await self._gateway.store.write(lambda tx: agents.set_role(tx, agent_id, body["role"]))
        self._changed()
        return web.json_response({"agent": document(changed)})

    async def set_phone(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Note on which phone an agent takes callers; an empty one is none."""
        body = await fields(request, phone=str)
        agent_id, phone = request.match_info["agent"], phone_of(body["phone"], self._gateway.settings.operator.country)
        changed = await self._gateway.store.write(lambda tx: agents.set_phone(tx, agent_id, phone))
        return web.json_response({"agent": document(changed)})

    async def set_password(self, request: web.Request, _: Caller) -> web.StreamResponse:
        """Give an account a new password; its sessions end."""
        body = await fields(request, password=str)
        agent_id = request.match_info["agent"]
        new = await self._passwords.hash(body["password"], login="")
        changed = await self._gateway.store.write(lambda tx: agents.set_password(tx, agent_id, new))
        self._changed()
        return web.json_response({"agent": document(changed)})
