"""The web chat for the conformance suite; believed are frames from a listed page with a token of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from channels import tokens
from channels.registry import load
from channels.webchat import Settings, Webchat, make
from core.model.address import Address, AddressKind
from core.model.ids import ChannelId
from core.model.inbound import RawRequest
from core.model.outbound import OutboundMessage, Reply
from tests.conformance.subject import MESSAGE_ID, PUBLIC_URL, Change, Subject, with_header

HERE = Address(AddressKind.ALIAS, "webchat")
NEW, OLD = "new-key-canary-19581e27de7ced00ff1ce50b2047e7a5", "old-key-canary-4a44dc15364204a80fe80e9039455cc1"
SETTINGS = Settings(origins=("https://shop.example", "own"), keys=(NEW, OLD))
NOW = 1_767_225_600_000


def _make(provider_base: str) -> Webchat:
    return make(ChannelId("web"), HERE, SETTINGS, PUBLIC_URL, "KE")


def _says(text: str, unknown: Mapping[str, str]) -> RawRequest:
    body = json.dumps({"type": "message", "id": "m1", "text": text, **unknown}).encode()
    return RawRequest("WS", PUBLIC_URL, {"origin": "https://shop.example"}, body, NOW, "127.0.0.1")


def _token(key: str, expires_ms: int = NOW + 1) -> Change:
    return lambda request: with_header(request, "x-parley-visitor", tokens.make(key, "v1", expires_ms))


def _showing(token: str) -> Change:
    return lambda request: with_header(request, "x-parley-visitor", token)


def _origin(origin: str) -> Change:
    return lambda request: with_header(_token(NEW)(request), "origin", origin)


def _bare(request: RawRequest) -> RawRequest:
    return replace(request, headers={name: value for name, value in request.headers.items() if name != "x-parley-visitor"})


SUBJECT = Subject(
    kind="webchat",
    settings=SETTINGS,
    make=_make,
    says=_says,
    authentic=_token(NEW),
    authentic_before=_token(OLD),
    forgeries={
        "no token": _bare,
        "token of another key": _token("another-key-of-some-length"),
        "expired token": _token(NEW, NOW),
        "token for another visitor": _showing(tokens.make(NEW, "v1", NOW + 1).replace("v1.", "v2.")),
        "token with a later expiry": _showing(tokens.make(NEW, "v1", NOW).replace(str(NOW), str(NOW + 9))),
        "token that is no ASCII": _showing("v1.9999999999999." + "ü" * 43),
        "no origin": lambda request: replace(_token(NEW)(request), headers={"x-parley-visitor": tokens.make(NEW, "v1", NOW + 1)}),
        **{
            f"origin {origin}": _origin(origin)
            for origin in (
                "null",
                "own",
                "https://evil.example",
                "https://shop.example.evil.example",
                "http://shop.example",
                "https://shop.example:8443",
                "https://SHOP.example",
                "https://shop.example/",
            )
        },
        "an ordinary web request": lambda request: replace(_token(NEW)(request), method="POST"),
    },
    secrets=(NEW, OLD, "path-secret-canary-9f86d081884c7d65"),
    samples=Path(__file__).parent / "samples",
    message=OutboundMessage(MESSAGE_ID, HERE, Address(AddressKind.VISITOR, "visitor-9"), Reply("Your balance is KES 250.00")),
    offline_parse=load("webchat").parse,
)
