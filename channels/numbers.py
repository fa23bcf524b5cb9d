"""Makes addresses of what providers and people call the sender: phone numbers in E.164, short codes, names.

Numbers are parsed by the library alone; here they are only brought into one script, and told apart from texts that merely hold one.
Must not decide whom an address belongs to.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, shortnumberinfo

from core.model.address import Address, AddressKind
from core.text.segments import is_gsm7

_DIGITS = re.compile(r"[0-9]{3,8}")
# The library would also find a number inside a sentence or a URI.
_NUMBER = re.compile(r"(?:(?i:tel):)?[+0-9 ()./~-]{1,40}(?:;[!-~]{0,100})?")
_INTERNATIONAL = re.compile(r"[1-9][0-9]{8,14}")
_SPACED = re.compile(r"[1-9][0-9 ()./-]{8,30}[0-9]")
_PLUS_LOST = re.compile(r" [1-9][0-9]{7,14}")  # in a form that was not encoded, the plus sign arrives as a space
_ABROAD = "00"  # what networks everywhere write before a country code, whatever is dialled in the country
_ESCAPED_PLUS = ("%2B", "%2b")  # of a gateway that encodes twice
_TEXT_CHARS_MAX = 200
_ALIAS_CHARS_MAX = 11  # what a network has room for
_SIGNS = {"\u2212": "-", "\u00b7": ".", "\u2022": ".", "\u2044": "/"}  # between the digits of a number
_NOT_IN_ALIAS = frozenset('<>"{}[]\\^~|')
_UNKNOWN_PLAN = re.compile(r"\+[1-9][0-9]{8,14}|[1-9][0-9]{9,14}")  # plans change, and numbers get longer, before the library knows
HIDDEN_WORDS = ("anonymous", "restricted", "unavailable", "unknown", "private", "blocked")
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
HIDDEN = frozenset({*HIDDEN_WORDS, *(f"+{word.translate(_KEYPAD)}" for word in HIDDEN_WORDS)})  # some networks spell it in digits
_DIALLED = re.compile(r"[0-9]{9,15}")  # a number of ours in a country that is not known here
UNSAID = Address(AddressKind.ALIAS, "")  # the receiver of a message that names none: it was for whoever was called


def msisdn(text: str, default_region: str) -> Address | None:
    """Return the phone number in `text` as E.164, or None if it is no possible number; national ones belong to `default_region`.

    A long number without plus sign is an international one if there is such a number, as most providers write it.
    """
    return _msisdn(text[:_TEXT_CHARS_MAX], default_region)


def sender(text: str, default_region: str) -> Address | None:
    """Return the address of a sender of short messages: a phone number, a short code of 3 to 8 digits or a name; None for anything else.

    What a provider writes as a whole phone number is one, even where the library knows none such (yet): answers go there.
    """
    return _sender(text[:_TEXT_CHARS_MAX], default_region)


def receiver(text: str, default_region: str) -> Address | None:
    """Return whom a message was for, `UNSAID` where nothing is said of it; None for what is no address."""
    found = sender(text, default_region)
    if found is not None:
        return found
    plain = _plain(text[:_TEXT_CHARS_MAX]).strip()
    if not plain:
        return UNSAID
    return Address(AddressKind.SHORT_CODE, plain) if _DIALLED.fullmatch(plain) else None


# The same person writes several times in a row, and parsing costs more than a signature check.
@lru_cache(maxsize=65_536)
def _msisdn(text: str, region: str) -> Address | None:
    number = _number(_plain(text), region)
    return None if number is None else _address(number)


@lru_cache(maxsize=65_536)
def _sender(text: str, region: str) -> Address | None:
    written = _plain(text)
    plain = written.strip()
    if plain.lower() in HIDDEN:
        return Address(AddressKind.ALIAS, "anonymous")
    if _DIGITS.fullmatch(plain):
        abroad = _parsed(f"+{plain}", "") if written.startswith(" ") else None
        if abroad is not None and phonenumbers.is_valid_number(abroad):
            return _address(abroad)
        return _subscriber(plain, region) or Address(AddressKind.SHORT_CODE, plain)
    number = _number(written, region)
    if number is not None:
        return _address(number)
    if plain.startswith("+") and _DIGITS.fullmatch(plain[1:]):
        return Address(AddressKind.SHORT_CODE, plain[1:])  # some networks put the sign before short codes, too
    if _UNKNOWN_PLAN.fullmatch(plain):
        return Address(AddressKind.MSISDN, f"+{plain.removeprefix('+')}")
    return Address(AddressKind.ALIAS, plain) if _is_alias(plain) else None


def _is_alias(text: str) -> bool:
    """Tell whether a text can be a name in the place of a number: as short as networks have room for, in the alphabet that they have."""
    fits = 0 < len(text) <= _ALIAS_CHARS_MAX and text.isprintable() and is_gsm7(text)
    return fits and any(map(str.isalpha, text)) and _NOT_IN_ALIAS.isdisjoint(text)


def _subscriber(digits: str, region: str) -> Address | None:
    """Return the phone number that a few digits are in a country whose numbers are that short; None where they are a short code."""
    number = _possible(digits, region)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    dialled = phonenumbers.normalize_digits_only(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
    return None if dialled != digits or shortnumberinfo.is_valid_short_number_for_region(number, region) else _address(number)


def _number(plain: str, region: str) -> PhoneNumber | None:
    number = _international(plain, region) if _INTERNATIONAL.fullmatch(plain) else _possible(plain, region)
    if number is None and _SPACED.fullmatch(plain):
        return _international(phonenumbers.normalize_digits_only(plain), region)
    return number


def _international(digits: str, region: str) -> PhoneNumber | None:
    abroad, national = _parsed(f"+{digits}", ""), _possible(digits, region)
    if abroad is None or (national is not None and phonenumbers.is_valid_number(national) and not phonenumbers.is_valid_number(abroad)):
        return national
    return abroad


def _possible(text: str, region: str) -> PhoneNumber | None:
    if not _NUMBER.fullmatch(text):
        return None
    signed = _parsed(f"+{text[1:]}", "") if _PLUS_LOST.fullmatch(text) else None
    if signed is not None:
        return signed
    bare = text.strip(" (")
    abroad = _parsed(f"+{bare.removeprefix(_ABROAD)}", "") if bare.startswith(_ABROAD) else None
    if abroad is not None and phonenumbers.is_valid_number(abroad) and _is_whole(abroad, bare):
        return abroad
    return _parsed(text, region) or abroad


def _is_whole(number: PhoneNumber, text: str) -> bool:
    """Tell whether a number is all that stands behind its two zeros, so that they are not the beginning of a longer prefix."""
    dialled = phonenumbers.normalize_digits_only(text.replace("(0)", "")).removeprefix(_ABROAD)
    return _address(number).value.removeprefix("+") == dialled


def _parsed(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _address(number: PhoneNumber) -> Address:
    return Address(AddressKind.MSISDN, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _plain(text: str) -> str:
    """Return a text with the digits, signs and spaces of any script in ASCII, without marks that are not seen."""
    lost = " " if text.startswith(" ") else ""  # perhaps a plus sign once
    text = lost + text.strip()
    if text.startswith(_ESCAPED_PLUS):
        text = f"+{text[3:]}"
    if text.isascii():
        return text
    return "".join(map(_ascii, unicodedata.normalize("NFKC", text)))


def _ascii(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    match unicodedata.category(character):
        case "Cf":
            return ""
        case "Zs":
            return " "
        case "Pd":
            return "-"
    return _SIGNS.get(character, character)
