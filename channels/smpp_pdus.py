"""PDUs as values: the one place that meets smpplib, which reads and writes the octets.

Optional parameters are kept as they came, also those that the library does not expect in a PDU, because centres add their own and
leave out lengths. Must not know what a field means.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from smpplib import command, consts, exceptions, smpp  # type: ignore[import-untyped]

HEADER_BYTES = 16
PDU_BYTES_MAX = 70_000  # a message payload may have 64 kB
OK, BAD_COMMAND, NOT_NOW = 0x00, 0x03, 0x64
_NAMES: Mapping[int, str] = {code: name for name, code in consts.OPTIONAL_PARAMS.items()}
_UNREADABLE = (struct.error, ValueError, KeyError, TypeError, IndexError, exceptions.UnknownCommandError)


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU that was read. `fields` can be written as JSON: numbers, texts, octets in hex, `optional` parameters by name in hex."""

    command: str
    status: int
    sequence: int
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Tell whether this is the answer to a request of ours."""
        return self.command.endswith("_resp") or self.command == "generic_nack"


class _Optional:
    """Takes the place of the library's own reading of optional parameters, which refuses what it does not expect."""

    optional: dict[str, str]

    def parse_optional_params(self, octets: bytes) -> None:
        """Keep every parameter that is whole."""
        self.optional, place = {}, 0
        while place + 4 <= len(octets):
            tag, length = struct.unpack_from(">HH", octets, place)
            self.optional[_NAMES.get(tag, f"0x{tag:04x}")] = octets[place + 4 : place + 4 + length].hex()
            place += 4 + length


class _DeliverSm(_Optional, command.DeliverSM):  # type: ignore[misc]
    pass


class _DataSm(_Optional, command.DataSM):  # type: ignore[misc]
    pass


class _SubmitSmResp(_Optional, command.SubmitSMResp):  # type: ignore[misc]
    pass


_DELIVERING: Mapping[str, type[Any]] = {"deliver_sm": _DeliverSm, "data_sm": _DataSm}
_TEXTS = ("service_type", "source_addr", "destination_addr")
_NUMBERS = ("source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi", "esm_class", "data_coding")
_SEQUENCED = SimpleNamespace(sequence=0, next_sequence=lambda: 0)  # the numbers are the link's, given after a PDU is made


def read(frame: bytes) -> Pdu:
    """Return a whole PDU. One of an unknown command is named `unknown`; a body that cannot be read is its octets as `pdu` in hex."""
    _, code, status, sequence = struct.unpack_from(">LLLL", frame)
    try:
        name = smpp.pdu.extract_command(frame)
    except exceptions.UnknownCommandError:
        return Pdu("unknown_resp" if code & 0x80000000 else "unknown", status, sequence)
    try:
        return Pdu(name, status, sequence, _fields(name, frame))
    except _UNREADABLE:
        return Pdu(name, status, sequence, {"command": name, "pdu": frame.hex()})


def _fields(name: str, frame: bytes) -> dict[str, Any]:
    if name in _DELIVERING:
        message = _DELIVERING[name](name, client=_SEQUENCED)
        message.parse(frame)
        octets = getattr(message, "short_message", None) or b""
        if len(octets) != (getattr(message, "sm_length", None) or 0) or message.data_coding is None:
            raise ValueError("cut off")
        return {
            "command": name,
            **{text: (getattr(message, text) or b"").decode("latin-1") for text in _TEXTS},
            **{number: getattr(message, number) for number in _NUMBERS},
            "short_message": octets.hex(),
            "optional": getattr(message, "optional", {}),
        }
    if name == "submit_sm_resp":
        answer = _SubmitSmResp(name, client=_SEQUENCED)
        answer.parse(frame)
        return {"message_id": (answer.message_id or b"").decode("latin-1")}
    return {}


def write(name: str, sequence: int, *, status: int = OK, **fields: Any) -> bytes:
    """Return the octets of a PDU with these fields; raises ValueError for a field that does not fit."""
    pdu = smpp.make_pdu(name, client=_SEQUENCED, status=status, **fields)
    pdu.sequence = sequence
    octets: bytes = pdu.generate()
    return octets
