"""What the load generator sends: requests as their providers make them, each new, and what a right answer to each contains."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from itertools import count
from urllib.parse import quote, urlencode

from gateway.bench.providers import POSTS, Line

_LEAP = 7_919  # a prime: neighbours in time are no neighbours in the store


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes of a request, and bytes that only a right answer contains."""

    content: bytes
    expected: bytes


def _post(path: str, body: str, headers: str = "", content_type: str = "application/x-www-form-urlencoded") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{headers}\r\n{body}".encode()


def msisdn(number: int) -> str:
    """Return the number-th subscriber number of the load."""
    return f"+2547{number:08d}"


def bare(path: str) -> Callable[[int], Request]:
    """Return what asks a handler that does nothing."""
    request = Request(_post(path, "sessionId=1&serviceCode=*384*100%23&phoneNumber=%2B254700000001&networkCode=63902&text="), b"CON")
    return lambda _slot: request


def ussd(path: str, run: str, people: int, first: int = 0, stride: int = 1) -> Callable[[int], Request]:
    """Return what dials: each request opens a session of its own, by `people` subscribers in an order without order."""
    numbers = count()
    code = quote("*384*100#")
    quoted = [quote(msisdn(first + number * _LEAP % people * stride)) for number in range(people)]

    def dial(_slot: int) -> Request:
        number = next(numbers)
        body = f"sessionId={run}{number}&serviceCode={code}&phoneNumber={quoted[number % people]}&networkCode=63902&text="
        return Request(_post(path, body), b"CON ")

    return dial


def sms(
    *, path: str, url: str, auth_token: str, account_sid: str, to: str, run: str, people: int, texts: Sequence[str], expected: str
) -> Callable[[int], Request]:
    """Return signed messages by `people` subscribers in turn, each of whom says one of `texts` after the other."""
    numbers = count()
    key = auth_token.encode()

    def write(_slot: int) -> Request:
        number = next(numbers)
        fields = {
            "AccountSid": account_sid,
            "ApiVersion": "2010-04-01",
            "Body": texts[number // people % len(texts)],
            "From": msisdn(number % people),
            "MessageSid": f"SM{run}{number:0{32 - len(run)}d}",
            "NumMedia": "0",
            "NumSegments": "1",
            "To": to,
        }
        return Request(_post(path, urlencode(fields), f"X-Twilio-Signature: {twilio_signature(key, url, fields)}\r\n"), expected.encode())

    return write


def posts(
    *, kind: str, path: str, url: str, secret: str, to: str, account: str, people: int, texts: Sequence[str], expected: str
) -> Callable[[int], Request]:
    """Return messages as the provider of a kind posts them, by `people` subscribers in turn."""
    numbers, line, make = count(1), Line(url, secret, to, account), POSTS[kind]

    def write(_slot: int) -> Request:
        number = next(numbers)
        content_type, body, headers = make(line, str(number), msisdn(number % people), texts[number // people % len(texts)])
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return Request(_post(path, body, more, content_type), expected.encode())

    return write


def twilio_signature(key: bytes, url: str, fields: Mapping[str, str]) -> str:
    """Return the signature that Twilio gives to a form."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(key, signed.encode(), sha1)).decode()


TRAFFIC: Mapping[str, Callable[..., Callable[[int], Request]]] = {"bare": bare, "ussd": ussd, "sms": sms, "posts": posts}
