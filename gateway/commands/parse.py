"""`parley parse`: what an adapter makes of recorded requests, for support people and for tests.

Needs no store, no configuration and no secrets, since it checks no signature. Must not send or record anything.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import click

from channels.numbers import UNSAID
from channels.registry import KINDS, load
from core.model.inbound import InboundEvent, RawRequest, UnreadableRequest
from gateway.commands.recorded import BadLine, readings

Parse = Callable[[RawRequest, str], Sequence[InboundEvent]]
_OTHER_FORMAT = frozenset({"content_type", "json"})


@click.command(epilog=f"Kinds: {', '.join(KINDS)}.")
@click.argument("kind", type=click.Choice(list(KINDS)), metavar="KIND")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"), default="-")
@click.option("--region", default="", metavar="COUNTRY", help="Country of phone numbers without a country code, such as KE.")
def command(kind: str, file: Iterable[str], region: str) -> None:
    """Show what the adapter of KIND makes of the recorded requests in FILE (- for standard input).

    A request is one line of JSON with method, url, headers and body (text, or an object as it is) or body_base64. For each, one line
    of JSON is printed: the events, or the error with which the adapter refuses it. Signatures are not checked.
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
            answer = {"events": [event_document(event) for event in _events(parse, readings(line), region.upper())]}
        except BadLine as error:
            answer = {"error": "bad_line", "detail": str(error)}
        except UnreadableRequest as error:
            answer = {"error": error.code, "detail": str(error)}
        yield json.dumps(answer)


def _events(parse: Parse, requests: Sequence[RawRequest], region: str) -> Sequence[InboundEvent]:
    """Return what the first reading of a request that can be read holds; raises the `UnreadableRequest` that says most."""
    failed: list[UnreadableRequest] = []
    for request in requests:
        try:
            return parse(request, region)
        except UnreadableRequest as error:
            failed.append(error)
    raise next((error for error in failed if error.code not in _OTHER_FORMAT), failed[0])


def event_document(event: InboundEvent) -> dict[str, Any]:
    """Return an event as plain JSON: the name of its type as `event`, and every field that is not empty; of contents their size."""
    return {"event": type(event).__name__, **_filled(event)}


def _filled(value: Any) -> dict[str, Any]:
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    filled = {name: content for name, content in fields.items() if content not in (None, "", b"", (), {}, False, "none", UNSAID)}
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
