"""What the gateway is measured against: an aiohttp server whose handlers do nothing, or only what Twilio's own library does.

Run as a program it listens on a free port, says where, and serves until it is told to stop.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from aiohttp import web
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.twiml.messaging_response import MessagingResponse  # type: ignore[import-untyped]

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of a server that lives for seconds and keeps nothing
ANSWER = "Thank you"


async def bare(request: web.Request) -> web.Response:
    """Read the body and answer with a short text."""
    await request.read()
    return web.Response(text="CON Welcome\n1. Balance\n2. Top up")


async def twilio(request: web.Request) -> web.Response:
    """Check a signature and answer with TwiML, both with Twilio's library."""
    form = await request.post()
    validator = RequestValidator(AUTH_TOKEN)
    if not validator.validate(str(request.url), dict(form), request.headers.get("X-Twilio-Signature", "")):
        raise web.HTTPForbidden
    answer = MessagingResponse()
    answer.message(ANSWER)
    return web.Response(text=str(answer), content_type="text/xml")


async def serve() -> None:
    """Serve until the process is told to stop."""
    app = web.Application()
    app.router.add_post("/bare", bare)
    app.router.add_post("/twilio", twilio)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
