"""Reads `application/x-www-form-urlencoded` bodies strictly: limited in size and count, in one character set, repetitions kept visible.

Must not look at the query of a URL (a field there is never a field of the body), and must not clean values: signatures cover them
as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from channels.once import Once

BODY_BYTES_MAX = 1_048_576
FIELDS_MAX = 200
TYPE = "application/x-www-form-urlencoded"
_CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "latin1", "windows-1252"), "cp1252"),  # as everywhere on the web
    **dict.fromkeys(("gbk", "gb2312", "gb18030"), "gb18030"),
}

Form = Mapping[str, tuple[str, ...]]


class NotAForm(Exception):
    """The body is no acceptable form. `code`: content_type, too_large, too_many_fields, encoding."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_form(content_type: str) -> bool:
    """Tell whether a content type is that of such a form."""
    return content_type.partition(";")[0].strip().lower() == TYPE


def read(body: bytes, content_type: str, *, otherwise: str = "") -> Form:
    """Return the fields of a body, each with all its values in order; raises `NotAForm`.

    Another character set than UTF-8 counts where the content type names it, and `otherwise` for what is no UTF-8.
    """
    kind, _, parameters = content_type.partition(";")
    charset = _charset(parameters)
    if kind.strip().lower() != TYPE or not charset:
        raise NotAForm("content_type")
    _check_size(body)
    try:
        return _fields(body, charset)
    except UnicodeDecodeError:
        if otherwise:
            return _fields(body, otherwise, "replace")
        raise NotAForm("encoding") from None


def octets(body: bytes) -> Form:
    """Return the fields of a body with a character for each octet, for only they say what set they are in; raises `NotAForm`."""
    _check_size(body)
    return _fields(body, "latin-1")


def _check_size(body: bytes) -> None:
    if len(body) > BODY_BYTES_MAX:
        raise NotAForm("too_large")
    if body.count(b"&") >= FIELDS_MAX:
        raise NotAForm("too_many_fields")


def _fields(body: bytes, charset: str, errors: str = "strict") -> Form:
    text = body.decode(charset, errors)
    fields: dict[str, tuple[str, ...]] = {}
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if "%" in value or "+" in value:
            value = _unquoted(value, charset, errors)
        if "%" in name or "+" in name:
            name = _unquoted(name, charset, errors)
        fields[name] = (*fields[name], value) if name in fields else (value,)
    return fields


def _unquoted(text: str, charset: str, errors: str) -> str:
    # Whole, where the library's own way to a text decodes each piece between other characters by itself: half of the cost of a form.
    return unquote_to_bytes(text.replace("+", " ").encode(charset, errors)).decode(charset, errors)


def _charset(parameters: str) -> str:
    """Return the codec that a content type asks for, empty for one that we do not have."""
    name, _, value = parameters.partition("=")
    return _CHARSETS.get(value.strip().strip("\"'").lower(), "") if name.strip().lower() == "charset" else "utf-8"


class LastForm(Once[Form]):
    """The form of the last request; raises `NotAForm`."""

    def __init__(self) -> None:
        super().__init__(lambda request: read(request.body, request.headers.get("content-type", "")))
