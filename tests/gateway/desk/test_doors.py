"""Who gets in: every route with every role, cookies, other sites, guesses, revocation. The matrix is made from the router itself."""

from __future__ import annotations

import asyncio
from copy import copy
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core import agents
from core.store.agents import Role
from gateway.desk import passwords as hashing
from gateway.desk.routes import PUBLIC
from gateway.web import make_app
from tests.gateway.desk.signed import HEADERS, Signed, browser, passwords, signed_in
from tests.gateway.running import Running

NEEDS_SUPERVISOR = {
    "/desk/api/items/{item}/take-over",
    "/desk/api/items/{item}/return",
    "/desk/api/delivery",
    "/desk/api/conversations/{conversation}/unlock-codes",
    "/desk/api/dead-letters",
    "/desk/api/dead-letters/replay",
    "/desk/api/dead-letters/edit",
    "/desk/api/dead-letters/discard",
    "/desk/dead-letters",
}
NEEDS_ADMIN = {
    "/desk/agents",
    "/desk/api/agents",
    "/desk/api/agents/{agent}/disable",
    "/desk/api/agents/{agent}/enable",
    "/desk/api/agents/{agent}/role",
    "/desk/api/agents/{agent}/phone",
    "/desk/api/agents/{agent}/password",
}


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    return {(method, path) for method, path in found if path.startswith("/desk") and method != "HEAD"}


def needed(path: str) -> Role:
    if path in NEEDS_ADMIN:
        return Role.ADMIN
    return Role.SUPERVISOR if path in NEEDS_SUPERVISOR else Role.AGENT


async def ask(signed: Signed, method: str, path: str) -> int:
    url = signed.url + path.format(conversation="none", item="none", message="none", agent="none", media="none")
    body = None if method == "GET" else {}
    async with signed.http.request(method, url, json=body, headers=HEADERS, allow_redirects=False) as answer:
        return answer.status


async def test_every_route_lets_in_the_role_that_it_names_and_no_other(parley: Running) -> None:
    routes = routes_of(make_app(parley.gateway)) - PUBLIC
    assert {path for _, path in routes} >= NEEDS_SUPERVISOR | NEEDS_ADMIN
    assert len(routes) >= 20
    async with (
        browser(parley) as nobody,
        signed_in(parley, "agent") as agent,
        signed_in(parley, "supervisor") as supervisor,
        signed_in(parley, "admin") as admin,
    ):
        for method, path in sorted(routes - {("POST", "/desk/api/logout")}):
            refused = 303 if "/api/" not in path and path not in {"/desk/feed", "/desk/media/{media}"} else 401
            assert await ask(nobody, method, path) == refused, f"a stranger at {method} {path}"
            for signed, role in ((agent, Role.AGENT), (supervisor, Role.SUPERVISOR), (admin, Role.ADMIN)):
                status = await ask(signed, method, path)
                if role.covers(needed(path)):
                    assert status not in {401, 303}, f"{role} at {method} {path}"
                    assert status != 403 or path == "/desk/feed", f"{role} at {method} {path}"
                else:
                    assert status == 403, f"{role} at {method} {path}"


def cookies_of(answer: aiohttp.ClientResponse) -> list[str]:
    return answer.headers.getall("Set-Cookie", [])


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(parley: Running) -> None:
    async with browser(parley) as nobody:
        body = {"login": "agent", "password": passwords(parley)["agent"]}
        async with nobody.http.post(nobody.url + "/desk/api/login", json=body, headers=HEADERS) as answer:
            for cookie in cookies_of(answer):
                assert "HttpOnly" in cookie
                assert "SameSite=Strict" in cookie
                assert "Path=/" in cookie
            assert any(cookie.startswith("parley_desk=") for cookie in cookies_of(answer))


async def test_behind_https_the_cookie_is_bound_to_the_host(parley: Running) -> None:
    public = copy(parley.gateway)
    public.url = "https://chat.example"
    async with TestServer(make_app(public)) as server, aiohttp.ClientSession() as http:
        body = {"login": "agent", "password": passwords(parley)["agent"]}
        headers = HEADERS | {"Origin": "https://chat.example"}
        async with http.post(server.make_url("/desk/api/login"), json=body, headers=headers) as answer:
            assert answer.status == 200
            session = next(cookie for cookie in cookies_of(answer) if cookie.startswith("__Host-parley_desk="))
            assert "Secure" in session
            assert "Domain" not in session


async def test_a_session_token_is_not_in_the_store(parley: Running) -> None:
    async with signed_in(parley) as agent:
        token = next(cookie.value for cookie in agent.http.cookie_jar if cookie.key == "parley_desk")
        assert len(token) >= 43
        hashes = [row[0] for row in await parley.rows("select token_hash from agent_session")]
        assert hashes == [agents.token_hash(token)]


async def test_signing_in_gives_a_new_token_and_ends_the_old_one(parley: Running) -> None:
    async with signed_in(parley) as agent:
        old = next(cookie.value for cookie in agent.http.cookie_jar if cookie.key == "parley_desk")
        await agent.post("/desk/api/login", {"login": "agent", "password": passwords(parley)["agent"]})
        new = next(cookie.value for cookie in agent.http.cookie_jar if cookie.key == "parley_desk")
        assert new != old
        async with aiohttp.ClientSession(cookies={"parley_desk": old}, cookie_jar=aiohttp.CookieJar(unsafe=True)) as thief:
            assert (await Signed(thief, agent.url, "").get("/desk/api/lists"))[0] == 401


async def test_after_signing_out_the_token_is_worth_nothing(parley: Running) -> None:
    async with signed_in(parley) as agent:
        token = next(cookie.value for cookie in agent.http.cookie_jar if cookie.key == "parley_desk")
        assert (await agent.post("/desk/api/logout"))[0] == 200
        agent.http.cookie_jar.update_cookies({"parley_desk": token})
        assert (await agent.get("/desk/api/lists"))[0] == 401


async def test_another_sites_page_changes_nothing(parley: Running) -> None:
    forged: list[dict[str, str]] = [
        {},
        {"X-Parley-Desk": "0"},
        {"X-Parley-Desk": "1", "Origin": "https://evil.example"},
        {"X-Parley-Desk": "1", "Origin": "null"},
        {"X-Parley-Desk": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Parley-Desk": "1", "Sec-Fetch-Site": "same-site"},
    ]
    async with signed_in(parley, "admin") as admin:
        for headers in forged:
            status, answer = await admin.post("/desk/api/logout", {}, headers=headers)
            assert (status, answer["error"]["code"]) == (403, "cross_site"), headers
        assert (await admin.get("/desk/api/lists"))[0] == 200


async def test_another_sites_page_cannot_follow_the_feed(parley: Running) -> None:
    async with signed_in(parley) as agent:
        for origin in (None, "null", "https://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await agent.http.ws_connect(agent.url + "/desk/feed?after=0", headers={"Origin": origin} if origin else {})
            assert refused.value.status == 403, origin


async def test_a_wrong_password_and_an_unknown_login_look_the_same(parley: Running) -> None:
    async with browser(parley) as nobody:
        answers = [
            await nobody.post("/desk/api/login", {"login": login, "password": "something wrong"})
            for login in ("agent", "nobody", "NoBody ")
        ]
        assert [status for status, _ in answers] == [401] * 3
        assert answers[0][1] == answers[1][1] == answers[2][1]


async def test_the_form_works_before_the_script_of_the_page_has_run(parley: Running) -> None:
    form = {"login": "agent", "password": passwords(parley)["agent"]}
    async with browser(parley) as nobody:
        url, own = nobody.url + "/desk/login", {"Origin": nobody.url}
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            async with nobody.http.post(url, data=form, headers=headers, allow_redirects=False) as answer:
                assert (answer.status, cookies_of(answer)) == (403, []), headers
        async with nobody.http.post(url, data=form | {"password": "<b>wrong"}, headers=own) as answer:
            page = await answer.text()
            assert answer.status == 401
            assert "Login or password is wrong." in page
            assert "<b>wrong" not in page
        async with nobody.http.post(url, data=form, headers=own, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/desk")
        assert (await nobody.get("/desk/api/lists"))[0] == 200


async def test_guesses_are_slowed_down_and_the_owner_still_gets_in(parley: Running) -> None:
    async with signed_in(parley) as owner, browser(parley) as stranger:
        statuses = [(await stranger.post("/desk/api/login", {"login": "agent", "password": f"guess {n}"}))[0] for n in range(12)]
        assert statuses == [401] * 5 + [429] * 7
        right = {"login": "agent", "password": passwords(parley)["agent"]}
        assert (await stranger.post("/desk/api/login", right))[0] == 429, "even the right password must wait there"
        assert (await owner.post("/desk/api/login", right))[0] == 200, "a browser that was signed in before is not locked out"


async def test_a_disabled_agent_is_out_at_once_open_pages_included(parley: Running) -> None:
    async with signed_in(parley) as agent, signed_in(parley, "admin") as admin:
        socket = await agent.http.ws_connect(agent.url + "/desk/feed?after=0", headers={"Origin": agent.url})
        accounts = (await admin.get("/desk/api/agents"))[1]["agents"]
        agent_id = next(one["id"] for one in accounts if one["login"] == "agent")
        assert (await admin.post(f"/desk/api/agents/{agent_id}/disable"))[0] == 200
        async with asyncio.timeout(20):
            async for _ in socket:
                pass
        assert socket.close_code == 4401
        assert (await agent.get("/desk/api/lists"))[0] == 401
        right = {"login": "agent", "password": passwords(parley)["agent"]}
        assert (await agent.post("/desk/api/login", right))[0] == 401


async def test_a_session_that_ends_elsewhere_closes_the_page_within_five_seconds(parley: Running) -> None:
    async with signed_in(parley) as agent:
        socket = await agent.http.ws_connect(agent.url + "/desk/feed?after=0", headers={"Origin": agent.url})
        await parley.gateway.store.write(lambda tx: tx.execute("delete from agent_session"))
        async with asyncio.timeout(5):
            async for _ in socket:
                pass
        assert socket.close_code == 4401


async def test_admins_add_accounts_and_set_passwords(parley: Running) -> None:
    async with signed_in(parley, "admin") as admin:
        new = {"login": "Amina", "name": "Amina", "role": "agent", "password": "correct horse battery"}
        status, added = await admin.post("/desk/api/agents", new)
        assert (status, added["agent"]["login"]) == (201, "amina")
        assert (await admin.post("/desk/api/agents", new))[1]["error"]["code"] == "login_taken"
        async with signed_in(parley, "amina", "correct horse battery") as amina:
            path = f"/desk/api/agents/{added['agent']['id']}/password"
            assert (await admin.post(path, {"password": "another long secret"}))[0] == 200
            assert (await amina.get("/desk/api/lists"))[0] == 401
        async with signed_in(parley, "amina", "another long secret") as amina:
            assert (await amina.post("/desk/api/password", {"old": "wrong", "new": "a third long secret"}))[1]["error"][
                "code"
            ] == "wrong_credentials"
            assert (await amina.post("/desk/api/password", {"old": "another long secret", "new": "a third long secret"}))[0] == 200
        async with signed_in(parley, "amina", "a third long secret"):
            pass


async def test_an_account_that_makes_no_sense_is_refused(parley: Running) -> None:
    wrong = [
        ("login", "A b", "bad_login"),
        ("name", "", "bad_name"),
        ("name", "a\u202eb", "bad_name"),
        ("role", "owner", "bad_role"),
        ("password", "short", "weak_password"),
        ("password", "aaaaaaaaaaaa", "weak_password"),
        ("password", "password1234", "weak_password"),
    ]
    async with signed_in(parley, "admin") as admin:
        for field, value, code in wrong:
            body: dict[str, Any] = {"login": "amina", "name": "Amina", "role": "agent", "password": "correct horse battery"} | {
                field: value
            }
            status, answer = await admin.post("/desk/api/agents", body)
            assert (status in {400, 409}, answer["error"]["code"]) == (True, code), value


async def test_the_last_admin_stays(parley: Running) -> None:
    async with signed_in(parley, "admin") as admin:
        accounts = (await admin.get("/desk/api/agents"))[1]["agents"]
        admin_id = next(one["id"] for one in accounts if one["login"] == "admin")
        assert (await admin.post(f"/desk/api/agents/{admin_id}/disable"))[1]["error"]["code"] == "last_admin"
        assert (await admin.post(f"/desk/api/agents/{admin_id}/role", {"role": "agent"}))[1]["error"]["code"] == "last_admin"


def test_passwords_are_stored_as_argon2id() -> None:
    stored = hashing.hash_password("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert "correct" not in stored


async def test_only_a_few_passwords_are_checked_at_once_and_the_queue_is_bounded() -> None:
    passwords_ = hashing.Passwords()
    try:
        tasks = [asyncio.create_task(passwords_.fits("wrong password", None)) for _ in range(hashing.WAITING_MOST + 5)]
        done = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        passwords_.close()
    assert sum(isinstance(one, hashing.TooBusy) for one in done) == 5
    assert sum(one is False for one in done) == hashing.WAITING_MOST
