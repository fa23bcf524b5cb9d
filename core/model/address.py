"""Addresses of people and channels, and how strongly an address proves who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class AddressKind(StrEnum):
    """The scheme of an address; two addresses are equal only within one scheme."""

    MSISDN = "msisdn"
    SHORT_CODE = "short_code"
    ALIAS = "alias"
    EMAIL = "email"
    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    VISITOR = "visitor"
    SIP = "sip"


@dataclass(frozen=True, slots=True)
class Address:
    """One address: an MSISDN in E.164 with plus sign, an e-mail address, a visitor id."""

    kind: AddressKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Strength(IntEnum):
    """How well the link between an address and a person is established; higher contains lower."""

    CLAIMED = 0  # e-mail From, caller id, SMS sender
    NETWORK = 1  # the MSISDN that the network itself gave with a USSD request
    PROVED = 2  # one-time code or PIN
    CHECKED = 3  # document seen by an agent
