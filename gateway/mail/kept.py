"""Keeps a request before anybody reads it, so that whoever brought it can be told that it is safe.

Must not look into the body: whatever it is, it is stored first and taken apart elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping

from core.crash import point
from core.model.inbound import RawRequest
from core.store import kept_requests
from core.store.api import StoreUnavailable
from gateway.runtime import ConfiguredChannel, Gateway

MAIL = "MAIL"
TOPIC = "kept_requests"
FREE_BYTES_MIN = 1 << 30
_SECRET = {"authorization", "proxy-authorization", "cookie"}


async def keep(gateway: Gateway, configured: ConfiguredChannel, request: RawRequest) -> bool:
    """Keep a request durably and have it read soon; False if the same body came before on this channel. Raises `StoreUnavailable`."""
    channel_id = configured.channel.id
    point("kept.before")
    try:
        body = await asyncio.to_thread(_stored, gateway, request.body)
    except OSError as error:
        raise StoreUnavailable("io_error", "the folder of contents cannot be written to") from error
    point("kept.content")
    about, request_id, at = described(request), gateway.clock.new_id(), request.received_at
    new = await gateway.store.write(lambda tx: kept_requests.keep(tx, request_id, channel_id, about, body, at))
    point("kept.committed")
    gateway.counters.add("requests_kept" if new else "duplicates", channel=channel_id)
    gateway.hints.wake(TOPIC)
    return new


def _stored(gateway: Gateway, body: bytes) -> str:
    """Store a body and return its digest, while there is room for others too: whoever sends mails keeps them, others cannot."""
    if shutil.disk_usage(gateway.data).free < FREE_BYTES_MIN:
        raise StoreUnavailable("disk_full", "the room that is left is for other channels")
    return gateway.blobs.keep(body)


def mail_request(raw: bytes, *, sender: str, recipients: tuple[str, ...], at: int, remote: str = "") -> RawRequest:
    """Return a raw mail as a request; `sender` and `recipients` are those of the envelope, the sender empty for a null one."""
    headers: Mapping[str, str] = {"mail-from": sender, "rcpt-to": ", ".join(recipients)}
    return RawRequest(MAIL, "", headers, raw, at, remote)


def restored(about: str, body: bytes) -> RawRequest:
    """Return a kept request as it came, but for what it was let in for."""
    known = json.loads(about)
    return RawRequest(known["method"], known["url"], known["headers"], body, known["received_at"], known["remote"])


def described(request: RawRequest) -> str:
    """Return all of a request but its body, and but the secrets that it was let in for: those in its headers and its path."""
    _, mark, query = request.url.partition("?")
    return json.dumps(
        {
            "method": request.method,
            "url": mark + query,
            "headers": {name: value for name, value in request.headers.items() if name not in _SECRET},
            "received_at": request.received_at,
            "remote": request.remote,
        }
    )
