"""What machines ask: is it alive, can it take work, what has it counted. On a listener of its own, away from customers."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from core.store.api import StoreUnavailable
from gateway.runtime import Gateway
from gateway.sending import gauges


def make_app(gateway: Gateway) -> web.Application:
    """Build the application of the health listener."""
    app = web.Application()
    app.add_routes(
        [web.get("/healthz", _alive), web.get("/readyz", lambda _: _ready(gateway)), web.get("/metrics", lambda _: _metrics(gateway))]
    )
    return app


async def _alive(_: web.Request) -> web.Response:
    """Answer as long as the event loop turns; never asks the store, whose failure a restart would not mend."""
    return web.json_response({"status": "ok"})


async def _ready(gateway: Gateway) -> web.Response:
    """Tell whether a message could be taken in now: the store answers and its writer is not overrun."""
    try:
        await gateway.store.read(lambda tx: tx.one("select 1"))
    except StoreUnavailable as unavailable:
        return web.json_response({"status": "unavailable", "code": unavailable.code}, status=503)
    return web.json_response({"status": "ok", "waiting": gateway.store.waiting})


async def _metrics(gateway: Gateway) -> web.Response:
    text = gateway.counters.prometheus() + f"# TYPE parley_store_waiting gauge\nparley_store_waiting {gateway.store.waiting}\n"
    channels, now = list(gateway.channels), gateway.clock.now_ms()
    with suppress(StoreUnavailable):  # the counts of the program itself are known without it
        text += await gateway.store.read(lambda tx: gauges.of_store(tx, channels, now))
    return web.Response(text=text, content_type="text/plain", charset="utf-8")
