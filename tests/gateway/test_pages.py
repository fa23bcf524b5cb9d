"""What every answer to a browser carries, and errors that say what happened but not how we are built."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.store.api import StoreUnavailable
from gateway import pages
from gateway.logs import JsonLines
from tests.gateway.running import running

Client = TestClient[web.Request, web.Application]


async def fail(_: web.Request) -> web.Response:
    raise RuntimeError("select * from customer where name = 'canary'")


async def busy(_: web.Request) -> web.Response:
    raise StoreUnavailable("disk_full")


async def slow_down(_: web.Request) -> web.Response:
    raise web.HTTPTooManyRequests(headers={"Retry-After": "7"})


async def show(request: web.Request) -> web.Response:
    return pages.page(request, "error.html", title="<script>", text="{{ 7 * 7 }}", number=None)


def application(public_url: str = "http://127.0.0.1", *, framed: bool = False) -> web.Application:
    app = web.Application(client_max_size=100)
    pages.install(app, public_url=public_url, framed=framed)
    for path, handler in (("/fail", fail), ("/busy", busy), ("/slow", slow_down), ("/show", show), ("/c/{channel}/{key}", fail)):
        app.router.add_get(path, handler)
    return app


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(application())) as client:
        yield client


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the gateway's log would hold."""
    caplog.handler.setFormatter(JsonLines())
    caplog.set_level(logging.ERROR)
    return caplog


HTML = {"Accept": "text/html,application/xhtml+xml"}
ERRORS = [("/nothing", 404, "not_found"), ("/fail", 500, "internal"), ("/busy", 503, "unavailable"), ("/slow", 429, "too_many_requests")]


@pytest.mark.parametrize(("path", "status", "code"), ERRORS)
async def test_programs_get_a_code_and_people_a_page(client: Client, path: str, status: int, code: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.content_type) == (status, "application/json")
    assert (await answer.json())["error"]["code"] == code
    page = await client.get(path, headers=HTML)
    assert (page.status, page.content_type) == (status, "text/html")
    assert "<h1>" in await page.text()


async def test_errors_tell_nothing_of_the_inside_and_the_log_nothing_of_the_customer(client: Client, log: pytest.LogCaptureFixture) -> None:
    answer = await client.get("/fail", headers=HTML)
    text = await answer.text()
    assert not re.search(r"canary|select|RuntimeError|Traceback|\.py", text)
    number = re.findall(r"[0-9a-f]{12}", text)[0]
    assert number in log.text
    assert "RuntimeError" in log.text
    assert "canary" not in log.text


async def test_a_secret_in_the_path_is_not_logged(client: Client, log: pytest.LogCaptureFixture) -> None:
    assert (await client.get("/c/web/secret")).status == 500
    assert (await client.get("/fail?token=canary")).status == 500
    assert "canary" not in log.text
    assert "secret" not in log.text


async def test_what_an_error_asks_of_the_caller_stays(client: Client) -> None:
    assert (await client.get("/slow")).headers["Retry-After"] == "7"
    assert (await client.post("/show")).headers["Allow"] == "GET,HEAD"
    assert (await client.get("/busy")).headers["Retry-After"] == "1"


async def test_values_in_pages_are_escaped_and_never_templates(client: Client) -> None:
    text = await (await client.get("/show")).text()
    assert "&lt;script&gt;" in text
    assert "{{ 7 * 7 }}" in text


async def test_each_page_has_a_nonce_of_its_own(client: Client) -> None:
    nonces = set()
    for _ in range(3):
        answer = await client.get("/show")
        policy = answer.headers["Content-Security-Policy"]
        nonces |= set(re.findall(r"script-src 'nonce-([\w-]+)'", policy))
        assert "unsafe" not in policy
        assert set(re.findall(r'nonce="([\w-]+)"', await answer.text())) == set(re.findall(r"style-src 'self' 'nonce-([\w-]+)'", policy))
    assert len(nonces) == 3


HEADERS: dict[str, Callable[[str], bool]] = {
    "X-Content-Type-Options": lambda value: value == "nosniff",
    "Content-Security-Policy": lambda value: "default-src 'none'" in value and "base-uri 'none'" in value,
    "Referrer-Policy": lambda value: value == "same-origin",
    "Cross-Origin-Opener-Policy": lambda value: value == "same-origin",
    "Cross-Origin-Resource-Policy": lambda value: value in {"same-origin", "cross-origin"},
    "X-Frame-Options": lambda value: value in {"DENY", "SAMEORIGIN"},
    "Cache-Control": lambda value: value in {"no-store", "no-cache"} or value.startswith("public"),
}


async def test_every_address_of_a_gateway_answers_with_the_headers(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        for path in (
            "/",
            "/simulator/shop",
            "/desk",
            "/desk/login",
            "/static/parley.css",
            "/webchat/widget.js",
            "/nothing",
            "/desk/api/lists",
        ):
            async with parley.http.get(parley.gateway.url + path) as answer:
                assert "Server" not in answer.headers
                for name, is_right in HEADERS.items():
                    assert is_right(answer.headers.get(name, "")), f"{path}: {name}"


async def test_only_a_demo_may_be_framed_and_only_https_is_remembered() -> None:
    async with TestClient(TestServer(application("https://parley.example"))) as client:
        answer = await client.get("/show")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Strict-Transport-Security"]
    async with TestClient(TestServer(application(framed=True))) as client:
        answer = await client.get("/show")
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    "path", ["../pages.py", "%2e%2e/pages.py", "..%2fpages.py", "/etc/passwd", "%2fetc%2fpasswd", "parley.css%00", "webchat", "", "."]
)
async def test_static_files_are_those_of_the_folder(client: Client, path: str) -> None:
    assert (await client.get(f"/static/{path}")).status == 404


async def test_static_files_are_asked_for_again_and_seldom_sent_again(client: Client) -> None:
    first = await client.get("/static/parley.css")
    assert (first.status, first.headers["Cache-Control"]) == (200, "no-cache")
    assert (await client.get("/static/parley.css", headers={"If-None-Match": first.headers["ETag"]})).status == 304


def test_problem_is_json_with_a_code() -> None:
    answer = pages.problem(409, "outdated", "There is news – look.", seq=7)
    assert json.loads(answer.body) == {"error": {"code": "outdated", "text": "There is news – look.", "seq": 7}}  # type: ignore[arg-type]
