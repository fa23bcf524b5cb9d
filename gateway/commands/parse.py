"""`parley parse`: what an adapter makes of recorded requests, for support people and for tests.

Needs no store, no configuration and no secrets, since it checks no signature. Must not send or record anything.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import click

from channels.registry import KINDS, load
from core.model.inbound import InboundEvent, RawRequest, UnreadableRequest


class _BadLine(ValueError):
    """A line is no recorded request."""


@click.command
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"), default="-")
@click.option("--region", default="", metavar="COUNTRY", help="Country of phone numbers without a country code, such as KE.")
def command(kind: str, file: Iterable[str], region: str) -> None:
    """Show what the adapter of KIND makes of the recorded requests in FILE (- for standard input).

    A request is one line of JSON with method, url, headers and body (text, or JSON as it is) or body_base64. For each, one line of
    JSON is printed: the events, or the error with which the adapter refuses it. Signatures are not checked.
    """
    for line in parse_lines(kind, file, region):
        click.echo(line)


def parse_lines(kind: str, lines: Iterable[str], region: str = "") -> Iterator[str]:
    """Yield a JSON line for each line that is not blank: `{"events": […]}` or `{"error": code, "detail": text}`; raises KeyError."""
    parse = load(kind).parse
    for line in lines:
        if not line.strip():
            continue
        answer: dict[str, Any]
        try:
            answer = {"events": [event_document(event) for event in parse(_request(line), region.upper())]}
        except _BadLine as error:
            answer = {"error": "bad_line", "detail": str(error)}
        except UnreadableRequest as error:
            answer = {"error": error.code, "detail": str(error)}
        yield json.dumps(answer)


def event_document(event: InboundEvent) -> dict[str, Any]:
    """Return an event as plain JSON: the name of its type as `event`, and every field that is not empty; of contents their size."""
    return {"event": type(event).__name__, **_filled(event)}


def _filled(value: Any) -> dict[str, Any]:
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    filled = {name: content for name, content in fields.items() if content not in (None, "", b"", (), {}, False, "none")}
    return {f"{name}_bytes" if isinstance(content, bytes) else name: _plain(content) for name, content in filled.items()}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _filled(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _request(line: str) -> RawRequest:
    """Return the request that a line records; raises `_BadLine`."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise _BadLine("not JSON") from None
    if not isinstance(record, dict):
        raise _BadLine("not a JSON object")
    headers = record.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _BadLine("headers must be an object of texts")
    received_at = record.get("received_at", 0)
    if type(received_at) is not int:
        raise _BadLine("received_at must be a number of milliseconds")
    return RawRequest(
        method=_text(record, "method", "POST"),
        url=_text(record, "url", ""),
        headers={name.lower(): value for name, value in headers.items()},
        body=_body(record),
        received_at=received_at,
        remote=_text(record, "remote", ""),
    )


def _text(record: dict[str, Any], name: str, default: str) -> str:
    value = record.get(name, default)
    if not isinstance(value, str):
        raise _BadLine(f"{name} must be text")
    return value


def _body(record: dict[str, Any]) -> bytes:
    if isinstance(record.get("body"), dict | list):
        return json.dumps(record["body"]).encode()
    if "body_base64" not in record:
        return _text(record, "body", "").encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(_text(record, "body_base64", ""), validate=True)
    except ValueError:
        raise _BadLine("body_base64 is not base64") from None
