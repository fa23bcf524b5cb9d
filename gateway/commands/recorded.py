"""Reads recorded requests as people and tools write them down: one JSON object each, in more forms than one.

A record without a content type is read as its body looks, and where that leaves two readings open, both are offered. Must not know a
kind, and must not guess what a body means.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from channels import forms
from core.model.inbound import RawRequest

_JSON = "application/json"
_METHODS, _URLS = ("method", "httpMethod"), ("url", "uri", "path")
_BODIES, _FORMS, _QUERIES = ("body", "data"), ("form",), ("query", "args", "queryStringParameters")
_WEB = frozenset({"GET", "POST", "PUT"})
_BOUNDARY_BYTES_MAX = 200
_SCALAR = (str, int, float)  # and with them truth values


class BadLine(ValueError):
    """A line is no recorded request; the text says why."""


def readings(line: str) -> Sequence[RawRequest]:
    """Return the request that a line records, in each way that its body can be read, the likeliest first; raises `BadLine`."""
    record = _record(line)
    headers = _headers(record.get("headers"))
    body, query = _member(record, _BODIES), _member(record, _QUERIES)
    form = _member(record, (*_FORMS, "params"))
    method, url = _text(record, _METHODS).upper(), _text(record, _URLS)
    if not method:
        posts = body or record.get("json") is not None or record.get("body_base64") is not None
        method = "GET" if not posts and ("?" in url or query or "params" in record) else "POST"
    if method == "GET":
        query, form = query or form, None
        if "?" not in url and not query and isinstance(body, str) and not isinstance(_decoded(body), dict):
            query, body = body, ""
    if query:
        url += ("&" if "?" in url else "?") + (query if isinstance(query, str) else _encoded(query))
    if form is not None and not body:
        body, headers = form, {"content-type": forms.TYPE, **headers}
    if record.get("json") is not None and not body:
        body, headers = record["json"], {"content-type": _JSON, **headers}
    url = url.replace("#", "%23")  # no request has a fragment, but a service code that was not encoded looks like one
    received_at = record.get("received_at", 0)
    if type(received_at) is not int:
        raise BadLine("received_at must be a number of milliseconds")
    remote, web = _text(record, ("remote",)), method in _WEB
    if record.get("body_base64") is not None or record.get("isBase64Encoded") is True:
        bodies = _guessed(_from_base64(_text(record, ("body_base64", *_BODIES))), headers, web=web)
    elif isinstance(body, dict | list):
        bodies = _document(body, headers.get("content-type", ""), web=web)
    elif isinstance(body, str | None):
        bodies = _guessed((body or "").encode("utf-8", "surrogatepass"), headers, web=web)
    else:
        raise BadLine("body must be text, or an object")
    return [
        RawRequest(method, url, {**headers, **({"content-type": kind} if kind else {})}, content, received_at, remote)
        for kind, content in bodies
    ]


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise BadLine("not JSON") from None
    if isinstance(record, dict) and isinstance(record.get("request"), dict):
        record = record["request"]
    if not isinstance(record, dict):
        raise BadLine("not a JSON object")
    return record


def _member(record: Mapping[str, Any], names: Iterable[str]) -> Any:
    """Return the first of some members that there is and that is not null."""
    return next((record[name] for name in names if record.get(name) is not None), None)


def _text(record: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the first of some members that there is, which must be text, empty where there is none."""
    value = _member(record, names)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadLine(f"{names[0]} must be text")
    return value


def _headers(given: object) -> dict[str, str]:
    """Return headers that stand as an object, as pairs, or as objects with `name` and `value`, in lower case."""
    pairs: Iterable[Any]
    match given:
        case None:
            return {}
        case dict():
            pairs = given.items()
        case list():
            pairs = [(item.get("name"), item.get("value")) if isinstance(item, dict) else item for item in given]
        case _:
            raise BadLine("headers must be an object")
    found = {}
    for pair in pairs:
        name, value = pair if isinstance(pair, tuple | list) and len(pair) == 2 else (None, None)
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if not isinstance(name, str) or isinstance(value, dict):
            raise BadLine("headers must be an object of texts")
        if value is not None:
            found[name.lower()] = str(value)
    return found


def _document(content: dict[str, Any] | list[Any], content_type: str, *, web: bool) -> list[tuple[str, bytes]]:
    """Return the bodies that a body written as JSON can stand for: the fields of a form, and JSON as it is."""
    whole = json.dumps(content).encode()
    if not web or not isinstance(content, dict) or not _is_flat(content):
        return [("" if content_type else _JSON, whole)]
    if content_type:
        return [("", _encoded(content).encode() if forms.is_form(content_type) else whole)]
    return [(forms.TYPE, _encoded(content).encode()), (_JSON, whole)]


def _guessed(body: bytes, headers: Mapping[str, str], *, web: bool) -> list[tuple[str, bytes]]:
    """Return a body with the content type that it looks like, if it was recorded without one."""
    content_type = headers.get("content-type", "")
    if forms.is_form(content_type):
        return [("", _one_line(body))]
    if content_type or not web:
        return [("", body)]
    if body.startswith(b"--"):
        boundary = body[2:_BOUNDARY_BYTES_MAX].split(b"\n")[0].strip().decode("latin-1")
        return [(f"multipart/form-data; boundary={json.dumps(boundary)}", body)]
    if not body.lstrip().startswith((b"{", b"[")):
        return [(forms.TYPE, _one_line(body))]
    content = _decoded(body)
    fields = [(forms.TYPE, _encoded(content).encode())] if isinstance(content, dict) and _is_flat(content) else []
    return [(_JSON, body), *fields]


def _one_line(form: bytes) -> bytes:
    """Return a form as it is sent: no line ends, which stand at its end, or between its fields where it was written down for people."""
    lines = [line.strip(b" &") for line in form.splitlines() if line.strip()]
    return b"&".join(lines) if all(b"=" in line for line in lines) else form.rstrip(b"\r\n")


def _decoded(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_flat(content: Mapping[str, Any]) -> bool:
    """Tell whether an object can be the fields of a form."""
    values = [item for value in content.values() for item in (value if isinstance(value, list) else [value])]
    return all(value is None or isinstance(value, _SCALAR) for value in values)


def _encoded(fields: object) -> str:
    """Return fields as they stand in a form or a query; raises `BadLine` for what are none."""
    if not isinstance(fields, dict) or not _is_flat(fields):
        raise BadLine("the fields of a form must be an object of texts")
    pairs = [(name, item) for name, value in fields.items() for item in (value if isinstance(value, list) else [value])]
    return urlencode([(name, _written(item)) for name, item in pairs], errors="surrogatepass")


def _written(value: object) -> str:
    return "" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadLine("body_base64 is not base64") from None
