"""Reads `application/x-www-form-urlencoded` bodies strictly: limited in size and count, UTF-8 only, repetitions kept visible.

Must not look at the query of a URL (a field there is never a field of the body), and must not clean values: signatures cover them
as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from core.model.inbound import RawRequest

BODY_BYTES_MAX = 1_048_576
FIELDS_MAX = 200
_TYPE = "application/x-www-form-urlencoded"

Form = Mapping[str, tuple[str, ...]]


class NotAForm(Exception):
    """The body is no acceptable form. `code`: content_type, too_large, too_many_fields, encoding."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(body: bytes, content_type: str, bytes_max: int = BODY_BYTES_MAX) -> Form:
    """Return the fields of a body, each with all its values in order; raises `NotAForm`."""
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != _TYPE or not _is_utf8(parameters):
        raise NotAForm("content_type")
    if len(body) > bytes_max:
        raise NotAForm("too_large")
    if body.count(b"&") >= FIELDS_MAX:
        raise NotAForm("too_many_fields")
    try:
        return _fields(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotAForm("encoding") from None


def _fields(text: str) -> Form:
    fields: dict[str, tuple[str, ...]] = {}
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if "%" in value or "+" in value:
            value = _unquoted(value)
        if "%" in name or "+" in name:
            name = _unquoted(name)
        fields[name] = (*fields[name], value) if name in fields else (value,)
    return fields


def _unquoted(text: str) -> str:
    # Whole, where the library's own way to a text decodes each piece between other characters by itself: half of the cost of a form.
    return unquote_to_bytes(text.replace("+", " ")).decode()


def _is_utf8(parameters: str) -> bool:
    name, _, value = parameters.partition("=")
    return name.strip().lower() != "charset" or value.strip().strip('"').lower() in {"utf-8", "us-ascii"}


class LastForm:
    """Reads the form of a request once, though both `authenticate` and `parse` ask for it."""

    def __init__(self) -> None:
        self._last: tuple[RawRequest, Form] | None = None

    def of(self, request: RawRequest) -> Form:
        """Return the form of `request`; raises `NotAForm`."""
        last = self._last
        if last is not None and last[0] is request:
            self._last = None
            return last[1]
        form = read(request.body, request.headers.get("content-type", ""))
        self._last = (request, form)
        return form
