"""Makes addresses of what providers call the sender: phone numbers in E.164, short codes, names.

Must not decide whom an address belongs to.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from core.model.address import Address, AddressKind

_DIGITS = re.compile(r"[0-9]{3,8}")
_ALIAS = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 .&_+-]{1,11}")
_NUMBER = re.compile(r"[+0-9 ()./-]{1,40}")  # the library would also find a number inside a sentence or a URI


@lru_cache(maxsize=65_536)  # the same subscriber writes several times in a row; parsing costs more than a signature check
def msisdn(text: str, default_region: str) -> Address | None:
    """Return the phone number in `text` as E.164, or None if it is no possible number; national ones belong to `default_region`."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, default_region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return Address(AddressKind.MSISDN, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def sender(text: str, default_region: str) -> Address | None:
    """Return the address of a sender of short messages: a phone number, a short code of 3 to 8 digits or a name; None for anything else."""
    text = text.strip()
    if _DIGITS.fullmatch(text):
        return Address(AddressKind.SHORT_CODE, text)
    return msisdn(text, default_region) or (Address(AddressKind.ALIAS, text) if _ALIAS.fullmatch(text) else None)
