"""Bodies from outside: forms, JSON frames, and the text in them."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote_from_bytes, unquote_to_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import forms, frames, multipart, texts
from core.model.inbound import RawRequest, UnreadableRequest

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

TYPE = "application/x-www-form-urlencoded"
values = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@CALM
@given(fields=st.dictionaries(values, values, max_size=10))
def test_a_form_is_read_as_it_was_written(fields: dict[str, str]) -> None:
    assert forms.read(urlencode(fields).encode(), TYPE) == {name: (value,) for name, value in fields.items()}


@CALM
@given(body=st.text(st.sampled_from("ab=&+%2047é"), max_size=40))
def test_a_form_is_read_as_the_standard_library_reads_it(body: str) -> None:
    try:
        expected = parse_qsl(body, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(forms.NotAForm):
            forms.read(body.encode(), TYPE)
        return
    together: dict[str, tuple[str, ...]] = {}
    for name, value in expected:
        together[name] = (*together.get(name, ()), value)
    assert forms.read(body.encode(), TYPE) == together


def test_repeated_fields_stay_visible() -> None:
    assert forms.read(b"a=1&b=2&a=3&a", TYPE) == {"a": ("1", "3", ""), "b": ("2",)}


@pytest.mark.parametrize("content_type", [TYPE, f"{TYPE}; charset=UTF-8", f'{TYPE.upper()};charset="utf-8"', f"{TYPE}; boundary=x"])
def test_content_types_of_a_form(content_type: str) -> None:
    assert forms.read(b"a=%C3%A9", content_type) == {"a": ("é",)}


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        (b"a=caf%E9+%80", "ISO-8859-1", "café €"),
        (b"a=caf\xe9", "windows-1252", "café"),
        (b"a=%C4%E3%BA%C3", "GBK", "你好"),
        (b"a=%C4%E3\xba\xc3", "gb2312", "你好"),
    ],
)
def test_a_form_may_name_its_character_set(body: bytes, charset: str, text: str) -> None:
    assert forms.read(body, f"{TYPE}; charset={charset}") == {"a": (text,)}
    with pytest.raises(forms.NotAForm, match="encoding"):
        forms.read(body, TYPE)


def test_what_is_no_utf_8_may_have_another_meaning() -> None:
    assert forms.read(b"a=caf%E9&b=%81", TYPE, otherwise="cp1252") == {"a": ("café",), "b": ("\ufffd",)}
    assert forms.read(b"a=caf%C3%A9", TYPE, otherwise="cp1252") == {"a": ("café",)}


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"a=1", "", "content_type"),
        (b"a=1", "text/plain", "content_type"),
        (b"a=1", f"{TYPE}; charset=utf-16", "content_type"),
        (b"a=%FF", TYPE, "encoding"),
        (b"\xff=1", TYPE, "encoding"),
        (b"&" * 200, TYPE, "too_many_fields"),
        (b"a=1&" * 100_000, TYPE, "too_many_fields"),
        (b"a" * (forms.BODY_BYTES_MAX + 1), TYPE, "too_large"),
    ],
)
def test_what_is_no_form(body: bytes, content_type: str, code: str) -> None:
    with pytest.raises(forms.NotAForm) as caught:
        forms.read(body, content_type)
    assert caught.value.code == code


def test_limits_of_a_form_are_not_too_narrow() -> None:
    assert len(forms.read(urlencode({str(number): "x" for number in range(200)}).encode(), TYPE)) == 200
    assert forms.read(b"a=" + b"x" * 1_000_000, TYPE)["a"] == ("x" * 1_000_000,)


def test_a_form_is_read_once_and_then_forgotten() -> None:
    last = forms.LastForm()
    request = RawRequest("POST", "", {"content-type": TYPE}, b"a=1", 0)
    first = last.of(request)
    assert last.of(request) is first
    assert last.of(request) is not first


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json"),
        (b"[]", "json"),
        (b'"a"', "json"),
        (b"{", "json"),
        (b'{"a":1,"a":2}', "json"),
        (b'{"a":NaN}', "json"),
        (b'{"a":Infinity}', "json"),
        (b'{"a":' + b"9" * 10_000 + b"}", "json"),
        (b'{"a":' * 100_000, "json"),
        (b"[" * 1_000_000, "json"),
        (b'{"a":"\xff"}', "encoding"),
        (b'{"a":"' + b"x" * frames.BODY_BYTES_MAX + b'"}', "too_large"),
    ],
)
def test_what_is_no_frame(body: bytes, code: str) -> None:
    with pytest.raises(UnreadableRequest) as caught:
        frames.read_object(body)
    assert caught.value.code == code


def test_a_frame() -> None:
    frame = frames.read_object('{"a": "é", "b": {"c": [1]}}'.encode())
    assert frame == {"a": "é", "b": {"c": [1]}}
    assert frames.text_member(frame, "a") == "é"
    assert frames.text_member(frame, "missing", "default") == "default"
    for name in ("b", "missing"):
        with pytest.raises(UnreadableRequest):
            frames.text_member(frame, name)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain é 👍🏽", "plain é 👍🏽"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tstays", "tab\tstays"),
        ("\x00a\x1b[31m\x7f\x85b", "a[31mb"),
        ("👩\u200d👩", "👩\u200d👩"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("", ""),
    ],
)
def test_text_is_cleaned(text: str, clean: str) -> None:
    assert texts.clean(text) == clean


@CALM
@given(text=st.text())
def test_cleaned_text_can_be_stored_and_cleaning_it_again_changes_nothing(text: str) -> None:
    clean = texts.clean(text)
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert "\x00" not in clean
    assert texts.clean(clean) == clean


LONG = "multipart/form-data; boundary=b"
FIELDS = b"".join(
    (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\none\ntwo\xff\r\n',
        b'--b\r\nContent-Disposition: form-data; name="b"\r\n\r\n\r\n',
        b"--b--\r\n",
    )
)


def test_both_kinds_of_form_keep_their_bytes() -> None:
    short = b"a=" + quote_from_bytes(b"one\ntwo\xff").encode() + b"&b=&c+d"
    assert [(part.name, part.content) for part in multipart.read_either(FIELDS, LONG)] == [("a", b"one\ntwo\xff"), ("b", b"")]
    got = [(part.name, part.content, part.file) for part in multipart.read_either(short, "application/x-www-form-urlencoded")]
    assert got == [("a", b"one\ntwo\xff", None), ("b", b"", None), ("c d", b"", None)]


def test_a_form_that_was_recorded_as_text() -> None:
    recorded = FIELDS.replace(b"\r\n", b"\n")
    assert [(part.name, part.content) for part in multipart.read(recorded, LONG)] == [("a", b"one\ntwo\xff"), ("b", b"")]


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"&".join([b"a=1"] * 400), "application/x-www-form-urlencoded", "too_many_fields"),
        (FIELDS[:-6], LONG, "incomplete"),
        (FIELDS.replace(b"\r\n", b"\n")[:-4], LONG, "incomplete"),
        (FIELDS.replace(b"--b\r\n", b"--b\n", 1), LONG, "bad_part"),
        (b"a=1", "text/plain", "content_type"),
    ],
)
def test_what_is_no_form_of_either_kind(body: bytes, content_type: str, code: str) -> None:
    with pytest.raises(forms.NotAForm) as refused:
        multipart.read_either(body, content_type)
    assert refused.value.code == code


@CALM
@given(value=st.binary(max_size=300), size=st.integers(3, 9))
def test_escapes_are_read_whole_however_long_the_text_is(value: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(multipart, "_PIECE_BYTES", size)
        for written in (quote_from_bytes(value).encode(), b"%" + value.replace(b"&", b"").replace(b"+", b"").replace(b"=", b"")):
            (part,) = multipart.read_either(b"a=" + written, "application/x-www-form-urlencoded")
            assert part.content == unquote_to_bytes(written)
