"""Phone numbers, short codes, names, and the tokens of web visitors."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from channels import email_addresses, numbers, tokens
from core.model.address import Address, AddressKind
from core.model.inbound import AuthenticationFailed

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

KEY, OLD = "a key of the gateway", "the key before"
NOW = 1_767_225_600_000


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+254711000111", "", "+254711000111"),
        ("+254711000111", "KE", "+254711000111"),
        ("254711000111", "KE", "+254711000111"),
        ("0711000111", "KE", "+254711000111"),
        ("0711 000-111", "KE", "+254711000111"),
        ("+254 0711 000111", "KE", "+254711000111"),
        ("+44 20 7946 0958", "KE", "+442079460958"),
        ("+1 (212) 555-0123", "", "+12125550123"),
        ("+44 (0)20 7946 0958", "KE", "+442079460958"),
        ("+44\u00a0(0)\u00a020\u00a07946\u00a00958", "", "+442079460958"),
        ("0044 20 7946 0958", "GB", "+442079460958"),
        ("0044 20 7946 0958", "", "+442079460958"),
        ("00442079460958", "US", "+442079460958"),
        ("01144 20 7946 0958", "US", "+442079460958"),
        ("442079460958", "US", "+442079460958"),
        ("2125550123", "US", "+12125550123"),
        (" 254711000111", "", "+254711000111"),
        ("tel:+254711000111", "", "+254711000111"),
        ("tel:+254-711-000-111;phone-context=example.com", "", "+254711000111"),
        ("tel:0711-000-111;phone-context=+254", "", "+254711000111"),
        ("\uff0b\uff12\uff15\uff14\uff17\uff11\uff11\uff10\uff10\uff10\uff11\uff11\uff11", "", "+254711000111"),
        ("\u0660\u0667\u0661\u0661\u0660\u0660\u0660\u0661\u0661\u0661", "KE", "+254711000111"),
        ("\u06f0\u06f7\u06f1\u06f1 \u06f0\u06f0\u06f0\u06f1\u06f1\u06f1", "KE", "+254711000111"),
        ("\u202a+254\u200b711\u2011000\u2212111\u202c", "", "+254711000111"),
        ("%2B254711000111", "", "+254711000111"),
        ("TEL:+254-711-000-111", "", "+254711000111"),
        ("\t+254 711 000 111\r\n", "", "+254711000111"),
        ("+254\u00b7711\u00b7000\u00b7111", "", "+254711000111"),
        ("254 711 000 111", "", "+254711000111"),
        ("1 (212) 555-0123", "", "+12125550123"),
        ("00254 (0)711000111", "KE", "+254711000111"),
        ("0062 (0)812345678", "ID", "+62812345678"),
        ("\u0967 \u0968\u0967\u0968 5550123", "", "+12125550123"),
    ],
)
def test_phone_numbers_become_e164(text: str, region: str, number: str) -> None:
    assert numbers.msisdn(text, region) == Address(AddressKind.MSISDN, number)


NO_NUMBERS = ["", "0711000111", "Anonymous", "+", "+999999999999", "12345", "+254711000111 ext. 5", "call +254711000111", "\x00", "٠"]


@pytest.mark.parametrize(
    "text", [*NO_NUMBERS, "+" + "1" * 100, "sip:+254711000111@example.com", "00", "tel:", "tel:;ext=5", "+254711000111\n+254711000112"]
)
def test_what_is_no_phone_number(text: str) -> None:
    assert numbers.msisdn(text, "") is None


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("40404", AddressKind.SHORT_CODE, "40404"),
        ("711", AddressKind.SHORT_CODE, "711"),
        ("Bank-1", AddressKind.ALIAS, "Bank-1"),
        (" INFO ", AddressKind.ALIAS, "INFO"),
        ("Safari Com", AddressKind.ALIAS, "Safari Com"),
        ("\u0664\u0660\u0664\u0660\u0664", AddressKind.SHORT_CODE, "40404"),
        (
            "24762889",
            AddressKind.SHORT_CODE,
            "24762889",
        ),  # though it is also a number of a small country, abroad
        ("+254711000111", AddressKind.MSISDN, "+254711000111"),
        (" 24762889", AddressKind.MSISDN, "+24762889"),  # the plus sign was lost
        (" 40404", AddressKind.SHORT_CODE, "40404"),
        ("+40404", AddressKind.SHORT_CODE, "40404"),
        ("+999711000111", AddressKind.MSISDN, "+999711000111"),  # of a country that is not known yet
        ("99971100012", AddressKind.MSISDN, "+99971100012"),
        ("+2547110001119", AddressKind.MSISDN, "+2547110001119"),  # longer than its country has them, as after a change of its plan
        ("254711000111 ", AddressKind.MSISDN, "+254711000111"),
        (" 711000111", AddressKind.MSISDN, "+254711000111"),  # no plus sign was lost here: there is no such number abroad
        ("+266696687", AddressKind.ALIAS, "anonymous"),
        ("+86282452253", AddressKind.ALIAS, "anonymous"),  # it would be a number of China
        ("Restricted", AddressKind.ALIAS, "anonymous"),
        ("Domino's", AddressKind.ALIAS, "Domino's"),
        ("Caf\u00e9 & Co", AddressKind.ALIAS, "Caf\u00e9 & Co"),
        ("7-Eleven", AddressKind.ALIAS, "7-Eleven"),
        ("\u00e9" * 5, AddressKind.ALIAS, "\u00e9" * 5),
    ],
)
def test_senders(text: str, kind: AddressKind, value: str) -> None:
    assert numbers.sender(text, "KE") == Address(kind, value)


@pytest.mark.parametrize("text", ["", " ", "<b>", "a" * 12, "--", "whatsapp:+254711000111", "ş" * 5, "a\nb", "1\n2", "+0711000111"])
def test_what_is_no_sender(text: str) -> None:
    assert numbers.sender(text, "KE") is None


@pytest.mark.parametrize(("text", "found"), [("", numbers.UNSAID), (" ", numbers.UNSAID), ("?", None)])
def test_a_receiver_may_be_left_out(text: str, found: Address | None) -> None:
    assert numbers.receiver(text, "KE") == found


def test_a_receiver_of_a_country_that_is_not_known_here_is_kept() -> None:
    assert numbers.receiver("0711000111", "") == Address(AddressKind.SHORT_CODE, "0711000111")
    assert numbers.receiver("0711000111", "KE") == Address(AddressKind.MSISDN, "+254711000111")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Jo+Tag@Example.COM.", "jo+tag@example.com"),
        ("first..last.@example.jp", "first..last.@example.jp"),
        ('"john.doe"@example.com', "john.doe@example.com"),
        ('"John Doe"@example.com', '"john doe"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ('"a\\"b"@example.com', '"a\\"b"@example.com'),
        ('"a\\ b"@example.com', '"a b"@example.com'),
        ("J\u00d6RG@M\u00dcLLER.example", "j\u00f6rg@xn--mller-kva.example"),
        ("\u7528\u6237@\u4f8b\u5b50.example", "\u7528\u6237@xn--fsqu00a.example"),
        ("user@\u4f8b\u3048\u3002example", "user@xn--r8jz45g.example"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
    ],
)
def test_mailboxes_in_one_form(text: str, address: str) -> None:
    found = email_addresses.mailbox(text)
    assert found == Address(AddressKind.EMAIL, address)
    assert email_addresses.mailbox(address) == found


NO_MAILBOXES = [
    "",
    "a",
    "@example.com",
    "a@",
    "a b@example.com",
    '"a@example.com',
    'a"b@example.com',
    '""@example.com',
    '"a\nb"@example.com',
]


@pytest.mark.parametrize("text", [*NO_MAILBOXES, "a@b c", '"a\u2028b"@example.com', "a\u200bb@example.com", f"{'a' * 65}@example.com"])
def test_what_is_no_mailbox(text: str) -> None:
    assert email_addresses.mailbox(text) is None


SUBSCRIBERS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.VOIP)
EVERYWHERE = ("US", "GB", "KE", "JP", "AU", "BR", "CO", "RU")  # each with its own way to dial abroad


def ways_of(number: PhoneNumber, region: str) -> Iterator[tuple[str, str]]:
    """Yield how a number is written in its own country and elsewhere, each with the country of whoever reads it."""
    plus = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    abroad, national = (phonenumbers.format_number(number, form) for form in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL))
    yield from ((plus, region), (plus, ""), (abroad, ""), (abroad.replace(" ", "\u00a0"), region), (national, region))
    yield phonenumbers.format_number(number, PhoneNumberFormat.RFC3966), region
    yield from ((f"00{plus[1:]}", place) for place in (region, "", *EVERYWHERE))
    yield from ((phonenumbers.format_out_of_country_calling_number(number, place), place) for place in EVERYWHERE)
    yield "".join(chr(0x660 + int(sign)) if sign.isdigit() else sign for sign in national), region
    if len(plus) > 9:  # fewer digits may be a short code
        yield from ((plus[1:], place) for place in (region, "", *EVERYWHERE))


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_numbers_of_every_country_in_every_way(region: str) -> None:
    found = [phonenumbers.example_number_for_type(region, kind) for kind in SUBSCRIBERS]
    known = [number for number in found if number is not None]
    assert known
    for number in known:
        address = Address(AddressKind.MSISDN, phonenumbers.format_number(number, PhoneNumberFormat.E164))
        wrong = [(text, place) for text, place in ways_of(number, region) if numbers.msisdn(text, place) != address]
        assert not wrong


@CALM
@given(text=st.text(max_size=60), region=st.sampled_from(["", "KE", "XX"]))
def test_any_text_is_a_sender_or_none(text: str, region: str) -> None:
    found = numbers.sender(text, region)
    assert found is None or (found.value and len(found.value) <= 16)


def refused(token: str, now_ms: int = NOW) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        tokens.verify((KEY, OLD), token, now_ms)
    assert KEY not in str(caught.value)
    return caught.value.code


def test_a_token_names_its_visitor_until_it_expires() -> None:
    for key in (KEY, OLD):
        token = tokens.make(key, "v_1-a", NOW + 1)
        assert tokens.verify((KEY, OLD), token, NOW) == "v_1-a"
        assert tokens.visitor_of(token) == "v_1-a"
        assert refused(token, NOW + 1) == "expired_token"
    assert refused("") == "missing_token"
    assert refused(tokens.make("a third key", "v1", NOW + 1)) == "bad_token"


@CALM
@given(at=st.integers(0, 60), character=st.characters(codec="utf-8"))
def test_a_changed_token_is_refused(at: int, character: str) -> None:
    token = tokens.make(KEY, "v1", NOW + 1)
    at %= len(token)
    changed = token[:at] + character + token[at + 1 :]
    if changed != token:
        assert refused(changed) == "bad_token"


MAC = "A" * 43


NO_TOKENS = ["a.b", "v1.1.", "v1..x", "v.1." + "=" * 43, f"v.-1.{MAC}", f"v.{'1' * 16}.{MAC}", f"{'v' * 65}.1.{MAC}", "\ud800"]


@pytest.mark.parametrize("token", NO_TOKENS)
def test_what_is_no_token(token: str) -> None:
    assert refused(token) == "bad_token"
    assert tokens.visitor_of(token) == ""


@pytest.mark.parametrize(("visitor", "expires"), [("", 1), ("a.b", 1), ("v" * 65, 1), ("v", -1), ("é", 1)])
def test_what_no_token_is_made_for(visitor: str, expires: int) -> None:
    with pytest.raises(ValueError, match="visitor id"):
        tokens.make(KEY, visitor, expires)
