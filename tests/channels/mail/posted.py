"""What the tests of all kinds that bring mails by webhook share: addresses, settings of a relay, forms with files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from core.model.address import Address, AddressKind
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL

HERE = Address(AddressKind.EMAIL, "support@operator.example")
RELAY_PASSWORD = "relay-password-canary-77"
MESSAGE = OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.EMAIL, "jo@customer.example"), Reply("Your balance is KES 250.00"))
AT = 1_767_225_600_000
BOUNDARY = "xYzZY"
HEAD = {
    "From": "Jo <jo@customer.example>",
    "To": "support@operator.example",
    "Message-ID": "<a1@customer.example>",
    "Date": "Thu, 01 Jan 2026 00:00:00 +0000",
}


def relay_settings(**changed: Any) -> dict[str, Any]:
    """Return the settings of a relay on this machine."""
    known = {"smtp_host": "127.0.0.1", "smtp_tls": "none", "smtp_timeout_s": 10, "smtp_user": "user", "smtp_password": RELAY_PASSWORD}
    return {**known, **changed}


def multipart(fields: Mapping[str, str | bytes], files: Sequence[tuple[str, str, str, bytes]] = ()) -> RawRequest:
    """Return a form with files: name of the field, name, type and content of the file."""
    parts = [
        (f'name="{name}"', "", value if isinstance(value, bytes) else value.encode("utf-8", "replace")) for name, value in fields.items()
    ]
    parts += [(f'name="{name}"; filename="{file}"', f"\r\nContent-Type: {kind}", content) for name, file, kind, content in files]
    heads = [f"--{BOUNDARY}\r\nContent-Disposition: form-data; {said}{kind}\r\n\r\n" for said, kind, _ in parts]
    body = b"".join(head.encode() + content + b"\r\n" for head, (_, _, content) in zip(heads, parts, strict=True))
    return request(body + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}")


def form(fields: Mapping[str, str]) -> RawRequest:
    """Return a form without files."""
    return request(urlencode(fields, errors="replace").encode(), "application/x-www-form-urlencoded")


def request(body: bytes, content_type: str) -> RawRequest:
    return RawRequest("POST", PUBLIC_URL, {"content-type": content_type}, body, AT, "127.0.0.1")
