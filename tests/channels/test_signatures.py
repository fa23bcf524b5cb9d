"""Signature checks against Twilio's own validator as the oracle, and against everything that is no signature."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.signatures import check_body_hash, check_hmac, check_twilio, twilio_signature, url_forms
from core.model.inbound import AuthenticationFailed

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

TOKEN = "12345"
URL = "https://gateway.example/c/sms/secret"
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
forms = st.dictionaries(texts, texts, max_size=6)
hosts = st.sampled_from(["gateway.example", "gateway.example:443", "gateway.example:80", "gateway.example:8443", "127.0.0.1:9000"])
urls = st.builds(
    "{}://{}/c/sms/secret{}".format, st.sampled_from(["https", "http"]), hosts, st.sampled_from(["", "?m=1", "?a=%20b&c=+", "?x=é"])
)


def believed(token: str, url: str, form: dict[str, str], signature: str) -> bool:
    try:
        check_twilio((token,), url, {name: (value,) for name, value in form.items()}, signature)
    except AuthenticationFailed:
        return False
    return True


# From the tests of Twilio's own libraries, where the first is also the example of its documentation; Plivo's, Vonage's and SendGrid's
# published vectors are with the tests of those kinds.
DOCUMENTED = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {"CallSid": ("CA1234567890ABCDE",), "Caller": ("+14158675309",), "Digits": ("1234",), "From": ("+14158675309",)}
REPEATED = {"Sid": ("CA123",), "SidAccount": ("AC123",), "Digits": ("5678", "1234", "1234")}


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (DOCUMENTED, {**CALL, "To": ("+18005551212",)}, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (DOCUMENTED.replace("mycompany", "MyCompany"), {**CALL, "To": ("+18005551212",)}, "g9IN/x4Cft2g517EjYvEvM/W7LU="),
        (DOCUMENTED, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    ],
)
def test_the_published_vectors_of_twilio(url: str, form: dict[str, tuple[str, ...]], signature: str) -> None:
    check_twilio((TOKEN,), url, form, signature)
    with pytest.raises(AuthenticationFailed):
        check_twilio((TOKEN,), f"{url}&extra=1", form, signature)


@CALM
@given(url=urls, form=forms)
def test_signatures_are_those_of_twilio(url: str, form: dict[str, str]) -> None:
    oracle = RequestValidator(TOKEN)
    signature = oracle.compute_signature(url, form)
    assert twilio_signature(TOKEN, url, {name: (value,) for name, value in form.items()}) == signature
    assert believed(TOKEN, url, form, signature)
    assert not believed("54321", url, form, signature)


@CALM
@given(signed=urls, received=urls, form=forms)
def test_what_twilio_believes_we_believe(signed: str, received: str, form: dict[str, str]) -> None:
    oracle = RequestValidator(TOKEN)
    signature = oracle.compute_signature(signed, form)
    if oracle.validate(received, form, signature):
        assert believed(TOKEN, received, form, signature)
    elif signed != received:
        assert not believed(TOKEN, received, form, signature)


@pytest.mark.parametrize(
    ("received", "signed"),
    [
        ("https://gateway.example/c", "https://gateway.example:443/c"),
        ("https://gateway.example:443/c", "https://gateway.example/c"),
        ("http://gateway.example/c", "http://gateway.example:80/c"),
        ("https://gateway.example:8443/c", "https://gateway.example/c"),
        ("https://gateway.example:8443/c", "https://gateway.example:8443/c"),
        ("https://[::1]:8443/c?m=1", "https://[::1]/c?m=1"),
    ],
)
def test_the_port_may_be_signed_or_not(received: str, signed: str) -> None:
    assert believed(TOKEN, received, {"a": "b"}, RequestValidator(TOKEN).compute_signature(signed, {"a": "b"}))


@pytest.mark.parametrize(
    ("received", "signed"),
    [
        ("https://gateway.example/c", "http://gateway.example/c"),
        ("https://gateway.example/c", "https://gateway.example:80/c"),
        ("https://gateway.example/c", "https://gateway.example/c/"),
        ("https://gateway.example/c?a=1&b=2", "https://gateway.example/c?b=2&a=1"),
        ("https://gateway.example/c?a=%2B", "https://gateway.example/c?a=+"),
    ],
)
def test_any_other_difference_counts(received: str, signed: str) -> None:
    assert not believed(TOKEN, received, {}, RequestValidator(TOKEN).compute_signature(signed, {}))


@pytest.mark.parametrize("token", [TOKEN, "the old token"])
def test_every_valid_token_is_tried(token: str) -> None:
    check_twilio((TOKEN, "the old token"), URL, {}, twilio_signature(token, URL, {}))


@pytest.mark.parametrize("given", ["", "x", "=" * 28, "A" * 28, "A" * 27 + "=", "ü" * 27 + "=", "\ud800", "A" * 100_000])
def test_what_is_no_signature_is_refused(given: str) -> None:
    assert not believed(TOKEN, URL, {}, given)


@pytest.mark.parametrize(
    "url", ["", "gateway.example", "ftp://gateway.example/", "https://[", "https://gateway.example:99999/", "https://x:y/"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(AuthenticationFailed):
        url_forms(url)


def test_text_that_cannot_be_encoded_is_refused() -> None:
    assert not believed(TOKEN, URL, {"Body": "\ud800"}, "A" * 27 + "=")


def test_repeated_values_count_once_and_in_order_as_at_twilio() -> None:
    class Many(dict[str, list[str]]):
        def getall(self, name: str) -> list[str]:
            return self[name]

    assert twilio_signature(TOKEN, URL, {"a": ("2", "1", "2")}) == RequestValidator(TOKEN).compute_signature(URL, Many(a=["2", "1", "2"]))


def test_a_body_hash_is_believed_as_twilio_believes_it() -> None:
    body = '{"a": 1}'
    url = f"{URL}?bodySHA256={sha256(body.encode()).hexdigest()}"
    check_twilio((TOKEN,), url, {}, RequestValidator(TOKEN).compute_signature(url, {}))
    check_body_hash(url, body.encode())
    assert RequestValidator(TOKEN).validate(url, body, RequestValidator(TOKEN).compute_signature(url, {}))


DIGEST = sha256(b"{}").hexdigest()


RIGHT = f"bodySHA256={DIGEST}"


@pytest.mark.parametrize(
    "query",
    ["", "bodySHA256=", f"bodySHA256={DIGEST.upper()}", f"{RIGHT}&{RIGHT}", "bodySHA256=ü", RIGHT.lower(), "a=1&" * 99],
)
def test_a_body_hash_that_is_missing_wrong_or_repeated_is_refused(query: str) -> None:
    with pytest.raises(AuthenticationFailed):
        check_body_hash(f"{URL}?{query}", b"{}")
    check_body_hash(f"{URL}?bodySHA256={DIGEST}", b"{}")


@pytest.mark.parametrize("wrong", ["", "ü", "0" * 64, "AB", "\ud800"])
def test_plain_hmac(wrong: str) -> None:
    right = hmac.digest(b"old", b"message", "sha256").hex()
    check_hmac((b"new", b"old"), b"message", right)
    for signature in (wrong, right.upper(), right[:-1]):
        with pytest.raises(AuthenticationFailed):
            check_hmac((b"new", b"old"), b"message", signature)
