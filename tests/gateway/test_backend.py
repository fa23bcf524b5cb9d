"""The client of the operator's systems against servers that answer in every wrong way."""

import asyncio
import gzip
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dialogs.actions import BackendUnavailable
from gateway.backend import ANSWER_MAX_BYTES, HttpBackend


async def answered(handler, *, timeout_s=5.0, **request):
    """Ask a server that has this handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    backend = HttpBackend(str(server.make_url("/base/")))
    try:
        return await backend.request(request.pop("method", "GET"), request.pop("path", "/x"), timeout_s=timeout_s, **request)
    finally:
        await backend.close()
        await server.close()


def always(**answer):
    async def handler(_request):
        return web.Response(**answer)

    return handler


async def test_the_request_carries_body_and_key_below_the_base_url():
    async def echo(request):
        return web.json_response([request.method, request.path, request.headers["Idempotency-Key"], await request.json()], status=201)

    status, body = await answered(echo, method="POST", path="/a/b", json={"é": 1}, key="k")
    assert (status, body) == (201, ["POST", "/base/a/b", "k", {"é": 1}])


async def test_a_refusal_is_an_answer_and_an_empty_body_is_none():
    assert await answered(always(status=422, text='{"code": "no"}')) == (422, {"code": "no"})
    assert await answered(always(status=204)) == (204, None)


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (always(status=500, text="{}"), "server_error"),
        (always(status=503), "server_error"),
        (always(status=429), "server_error"),
        (always(status=302, headers={"Location": "/elsewhere"}), "unreadable"),
        (always(text="<html>"), "unreadable"),
        (always(body=b"\xff\xfe"), "unreadable"),
        (always(text="[" * 20_000), "unreadable"),
        (always(text=json.dumps("x" * ANSWER_MAX_BYTES)), "too_large"),
        (always(body=gzip.compress(b"0" * 10_000_000), headers={"Content-Encoding": "gzip"}), "unreadable"),
    ],
)
async def test_an_answer_of_no_use_has_a_code(handler, code):
    with pytest.raises(BackendUnavailable) as caught:
        await answered(handler)
    assert caught.value.code == code


async def test_a_system_that_does_not_answer_in_time_is_given_up():
    never = asyncio.Event()

    async def hang(_request):
        await never.wait()

    with pytest.raises(BackendUnavailable) as caught:
        await answered(hang, timeout_s=0.1)
    assert caught.value.code == "timeout"


async def test_a_system_that_is_not_there_is_told_apart_from_one_that_may_have_acted():
    backend = HttpBackend("http://127.0.0.1:1")
    try:
        with pytest.raises(BackendUnavailable) as caught:
            await backend.request("GET", "/x", timeout_s=5)
    finally:
        await backend.close()
    assert caught.value.code == "not_connected"
