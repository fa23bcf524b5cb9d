"""Reads the fields of a request wherever a provider puts them: in the query of a GET, in a form, or in a JSON object.

Nested JSON becomes dotted names (`message.content.text`, `results.0.to`), so that every format is one flat mapping. Must not know what
a field means, and must not clean values: signatures cover them as they were sent.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels import forms, frames
from channels.forms import Form
from core.model.inbound import RawRequest, UnreadableRequest

_JSON = ("/json", "+json")


def read(request: RawRequest, otherwise: str = "") -> Form:
    """Return the fields of a request, each with all its values in order; raises `UnreadableRequest`.

    Not every gateway says what it sends, or says it rightly: what begins as an object and is called no form is JSON.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if request.method == "GET":
        return query(request.url, otherwise)
    if kind != forms.TYPE and (kind.endswith(_JSON) or frames.looks_like_json(request.body)):
        return flat(frames.read_object(request.body))
    return form(request.body, content_type or forms.TYPE, otherwise)


def query(url: str, otherwise: str = "") -> Form:
    """Return the fields in the query of a URL; raises `UnreadableRequest`. `otherwise` is the character set of what is no UTF-8."""
    return form(_query(url), forms.TYPE, otherwise)


def asked(url: str, name: str) -> str:
    """Return the only value of a field in the query of a URL, empty where there is none that can be read."""
    try:
        return only(query(url), name)
    except UnreadableRequest:
        return ""


def form(body: bytes, content_type: str, otherwise: str = "") -> Form:
    """Return the fields of a form; raises `UnreadableRequest`. `otherwise` is the character set of what is no UTF-8."""
    try:
        return forms.read(body, content_type, otherwise=otherwise)
    except forms.NotAForm as error:
        raise UnreadableRequest(error.code) from None


def octets(request: RawRequest) -> Form:
    """Return the fields of a query or a form with a character for each octet; raises `UnreadableRequest`."""
    try:
        return forms.octets(_query(request.url) if request.method == "GET" else request.body)
    except forms.NotAForm as error:
        raise UnreadableRequest(error.code) from None


def _query(url: str) -> bytes:
    try:
        return urlsplit(url).query.encode("utf-8", "surrogatepass")
    except ValueError:
        raise UnreadableRequest("encoding", "the query") from None


def flat(value: dict[str, Any]) -> Form:
    """Return a JSON object as flat fields: numbers and truth values as JSON writes them, nothing for null; raises `UnreadableRequest`."""
    found: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, Any]] = list(value.items())
    while waiting:
        name, content = waiting.pop()
        if isinstance(content, dict):
            waiting += [(f"{name}.{key}", item) for key, item in content.items()]
        elif isinstance(content, list):
            waiting += [(f"{name}.{index}", item) for index, item in enumerate(content)]
        elif content is not None:
            found[name] = (*found.get(name, ()), _scalar(content))
        if len(found) > forms.FIELDS_MAX or len(waiting) > forms.FIELDS_MAX or len(name) > forms.BODY_BYTES_MAX // forms.FIELDS_MAX:
            raise UnreadableRequest("too_many_fields")
    return found


def _scalar(content: object) -> str:
    """Return one value of JSON that is no object, list or null as text."""
    if isinstance(content, bool):
        return "true" if content else "false"
    return str(content)


def only(fields: Form, name: str) -> str:
    """Return the only value of a field, empty if it is missing; raises `UnreadableRequest` for a repeated one."""
    values = fields.get(name, ("",))
    if len(values) > 1:
        raise UnreadableRequest("repeated_field", name)
    return values[0]
