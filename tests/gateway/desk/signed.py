"""A signed-in agent of a running gateway, and the few ways in which tests make one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

from gateway.desk.demo import demo_accounts
from tests.core.routing.people import new_id
from tests.gateway.running import Running

HEADERS = {"X-Parley-Desk": "1"}


@dataclass
class Signed:
    """One browser of an agent."""

    http: aiohttp.ClientSession
    url: str
    role: str

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(self.url + path) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: Any = None, headers: Any = None) -> tuple[int, Any]:
        async with self.http.post(
            self.url + path, json={} if body is None else body, headers=HEADERS if headers is None else headers
        ) as answer:
            return answer.status, await answer.json()

    async def lists(self) -> Any:
        return (await self.get("/desk/api/lists"))[1]

    async def conversation(self, conversation: str) -> Any:
        return (await self.get(f"/desk/api/conversations/{conversation}"))[1]

    async def reply(self, conversation: str, text: str, against: int, **more: Any) -> tuple[int, Any]:
        body = {"id": new_id(), "text": text, "against_seq": against, **more}
        return await self.post(f"/desk/api/conversations/{conversation}/reply", body)

    async def upload(self, conversation: str, target: str, content: bytes, name: str = "a.png", headers: Any = None) -> tuple[int, Any]:
        url = f"{self.url}/desk/api/conversations/{conversation}/files"
        params = {"target": target, "name": name}
        async with self.http.post(url, params=params, data=BytesIO(content), headers=HEADERS if headers is None else headers) as answer:
            return answer.status, await answer.json()

    async def note(self, conversation: str, text: str, **more: Any) -> tuple[int, Any]:
        return await self.post(f"/desk/api/conversations/{conversation}/note", {"id": new_id(), "text": text, **more})


def passwords(parley: Running) -> dict[str, str]:
    return {login: password for login, _, password in demo_accounts(parley.gateway.keys)}


@asynccontextmanager
async def browser(parley: Running) -> AsyncIterator[Signed]:
    """A browser in which nobody is signed in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Signed(http, parley.gateway.url, "")


@asynccontextmanager
async def signed_in(parley: Running, login: str = "agent", password: str | None = None) -> AsyncIterator[Signed]:
    """A browser of a demo account, or of the account with this password."""
    async with browser(parley) as signed:
        status, answer = await signed.post("/desk/api/login", {"login": login, "password": password or passwords(parley)[login]})
        assert status == 200, answer
        signed.role = answer["agent"]["role"]
        yield signed
