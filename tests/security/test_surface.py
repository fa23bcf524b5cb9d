"""Every route that there is: what it says in its headers, what it says when it fails, and what it does not say at all."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from gateway import pages
from gateway.runtime import GATEWAY
from gateway.web import make_app
from tests.gateway.desk.signed import HEADERS, signed_in
from tests.gateway.running import Running

ID = "01900000-0000-7000-8000-000000000000"
BROWSERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
LEAKS = ("Traceback", "canary", ".py", "select ", "sqlite", "apsw", "aiohttp", "Python/")


def routes(parley: Running) -> list[tuple[str, str]]:
    """Return method and path of every route, with something in each of its variables."""
    found = []
    for route in make_app(parley.gateway).router.routes():
        resource = route.resource
        assert resource is not None
        path = re.sub(r"\{path[^}]*\}", "webchat/widget.js", resource.canonical)
        path = path.replace("{channel}", "web" if path.startswith("/webchat") else "nobody")
        path = re.sub(r"\{[^}]*\}", ID, path)
        found.append((route.method if route.method != "*" else "GET", path))
    return found


def is_stream(path: str) -> bool:
    return path.startswith("/simulator") and ("stream" in path or "events" in path or "feed" in path)


async def test_every_route_has_the_headers_of_a_page_and_allows_no_other_site(parley: Running) -> None:
    seen = 0
    hostile = {"Origin": "https://evil.example", "Accept": "text/html"}
    for method, path in routes(parley):
        if is_stream(path):
            continue
        seen += 1
        async with parley.http.request(method, parley.gateway.url + path, headers=hostile, allow_redirects=False) as answer:
            text = await answer.text()
            where = f"{method} {path}"
            assert answer.status < 500, where
            assert "Access-Control-Allow-Origin" not in answer.headers, where
            assert "Access-Control-Allow-Credentials" not in answer.headers, where
            assert "aiohttp" not in answer.headers.get("Server", ""), where
            assert not [leak for leak in LEAKS[:1] if leak in text], where
            if path.startswith("/c/"):
                continue
            for name, value in BROWSERS.items():
                assert answer.headers.get(name) == value, f"{where}: {name}"
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, where
            assert "unsafe" not in policy, where
            assert "frame-ancestors 'self'" in policy, where
            assert answer.headers["Cache-Control"] in {"no-store", "no-cache", "public, max-age=300"}, where
    assert seen > 30


async def test_without_a_session_the_desk_answers_nobody(parley: Running) -> None:
    open_to_all = {"/desk/login", "/desk/api/login"}
    for method, path in routes(parley):
        if not path.startswith("/desk") or path in open_to_all or method == "HEAD":
            continue
        async with parley.http.request(method, parley.gateway.url + path, headers=HEADERS, allow_redirects=False) as answer:
            assert answer.status in {303, 401}, f"{method} {path}"


async def raises(_: web.Request) -> web.StreamResponse:
    raise ZeroDivisionError("canary select * from party")


async def test_every_handler_that_fails_gives_the_same_answer(parley: Running) -> None:
    """Every handler is replaced by one that fails, behind the same middlewares and headers."""
    app = make_app(parley.gateway)
    failing = web.Application(middlewares=app.middlewares)
    failing[GATEWAY] = parley.gateway
    failing[pages._FRAMED] = True
    for route in list(app.router.routes()):
        if route.resource is not None and route.method != "HEAD":
            failing.router.add_route(route.method, route.resource.canonical.replace("{path}", "{path:.+}"), raises)
    runner = web.AppRunner(failing, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    shapes = set()
    try:
        for method, path in routes(parley):
            if method == "HEAD":
                continue
            for accept in ("application/json", "text/html"):
                async with parley.http.request(method, url + path, headers={"Accept": accept}) as answer:
                    text = await answer.text()
                    assert answer.status == 500, f"{method} {path}"
                    assert not [leak for leak in LEAKS if leak in text], f"{method} {path}"
                    shapes.add((accept, re.sub(r"[0-9a-f]{12}|nonce=\"[^\"]*\"", "", text)))
    finally:
        await runner.cleanup()
    assert len(shapes) == 2


async def test_health_and_metrics_are_not_on_the_public_port(parley: Running) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/.env", "/static/../web.py", "/static/%2e%2e/web.py", "/static//etc/passwd"):
        async with parley.http.get(parley.gateway.url + path) as answer:
            assert answer.status == 404, path


async def test_fields_that_nobody_asked_for_are_refused_and_numbers_have_bounds(parley: Running) -> None:
    async with signed_in(parley, "admin") as admin:
        status, _ = await admin.post("/desk/api/agents", {"login": "eve", "name": "Eve", "role": "agent", "password": "x" * 20, "id": "1"})
        assert status == 400
        bodies: tuple[dict[str, Any], ...] = (
            {"id": ID, "text": "hi", "trust": 4},
            {"id": ID, "text": "hi", "role": "admin"},
            {"id": ID, "text": ["hi"]},
            {"id": ID, "text": None},
            {"text": "hi"},
            {"id": "1", "text": "hi"},
            {},
        )
        for body in bodies:
            assert (await admin.post(f"/desk/api/conversations/{ID}/note", body))[0] == 400
        for number in (10**30, -(10**30), 2**63, True, 1.5, "1"):
            body = {"id": ID, "text": "hi", "against_seq": number}
            assert (await admin.post(f"/desk/api/conversations/{ID}/reply", body))[0] in {400, 404}
        for path in (
            f"/desk/api/conversations/{ID}/entries?before={'9' * 40}",
            "/desk/api/conversations/%00",
            "/desk/api/conversations/'--",
        ):
            assert (await admin.get(path))[0] in {400, 404}


async def test_a_number_beyond_what_a_row_holds_is_refused_for_an_own_conversation_too(parley: Running) -> None:
    for text in ("", "8"):
        await parley.dial(text)
    rows = await parley.rows("select id, conversation_id from work_item")
    assert len(rows) == 1
    async with signed_in(parley) as agent:
        assert (await agent.post(f"/desk/api/items/{rows[0][0]}/claim"))[0] == 200
        for number in (10**30, -(10**30), 2**63, -(2**63) - 1):
            status, _ = await agent.reply(rows[0][1], "hi", number)
            assert status == 400, number
