"""Long messages: the header or the parameters that number their parts, in both directions (3GPP TS 23.040 section 9.2.3.24.1).

Parts are joined as octets, since the sender cut octets. Must not keep anything: parts wait in the store, which the session asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from core.model.inbound import Part

_UDHI = 0x40
_MISSING = "[...]".encode("utf-16-be").hex()
_UCS2 = 0x08


def payload(fields: Mapping[str, Any]) -> bytes:
    """Return the octets of a message without its header; raises ValueError and TypeError for fields that are none."""
    return _divided(fields)[1]


def part_of(fields: Mapping[str, Any]) -> Part | None:
    """Return which part of a long message this is, None for a message that is whole."""
    try:
        header, _ = _divided(fields)
        found = _from_header(header) or _from_parameters(fields.get("optional", {}))
    except (ValueError, TypeError, AttributeError):
        return None
    if found is None:
        return None
    reference, total, number = found
    if not 1 < total <= 255 or not 1 <= number <= total:
        return None
    ends = [str(fields.get(name, "")) for name in ("source_addr", "destination_addr")]
    return Part(digest_of([*ends, reference, total]), number, total)


def digest_of(value: Any) -> str:
    """Return a short name for a value that can be written as JSON; equal values have the same."""
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()


def joined(parts: Sequence[Mapping[str, Any]], numbers: Sequence[int], total: int) -> dict[str, Any]:
    """Return the fields of a long message from its parts in their order; what is missing of it shows as `[...]`."""
    by_number = dict(zip(numbers, parts, strict=True))
    pieces: list[list[Any]] = []
    for number in range(1, total + 1):
        part = by_number.get(number)
        if part is not None:
            _append(pieces, int(part.get("data_coding", 0)), payload(part).hex())
        elif not pieces or pieces[-1] != [_UCS2, _MISSING]:
            pieces.append([_UCS2, _MISSING])
    return {**parts[0], "esm_class": parts[0].get("esm_class", 0) & ~_UDHI, "short_message": "", "optional": {}, "parts": pieces}


def _append(pieces: list[list[Any]], data_coding: int, octets: str) -> None:
    """Add octets to the last piece if they are written alike, for a character may stand half in one part and half in the next."""
    if pieces and pieces[-1][0] == data_coding and pieces[-1][1] != _MISSING:
        pieces[-1][1] += octets
    else:
        pieces.append([data_coding, octets])


def with_headers(parts: Sequence[bytes], reference: int) -> list[bytes]:
    """Return the parts of a message to be sent, each with its header; a single one needs none."""
    if len(parts) == 1:
        return list(parts)
    return [bytes((5, 0, 3, reference, len(parts), number)) + part for number, part in enumerate(parts, 1)]


def _divided(fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
    octets = bytes.fromhex(fields.get("short_message") or fields.get("optional", {}).get("message_payload", ""))
    if not fields.get("esm_class", 0) & _UDHI or not octets or octets[0] >= len(octets):
        return b"", octets
    return octets[1 : octets[0] + 1], octets[octets[0] + 1 :]


def _from_header(header: bytes) -> tuple[int, int, int] | None:
    for element, content in _elements(header):
        if element == 0x00 and len(content) == 3:
            return content[0], content[1], content[2]
        if element == 0x08 and len(content) == 4:
            return int.from_bytes(content[:2]), content[2], content[3]
    return None


def _elements(header: bytes) -> Iterable[tuple[int, bytes]]:
    place = 0
    while place + 2 <= len(header):
        length = header[place + 1]
        yield header[place], header[place + 2 : place + 2 + length]
        place += 2 + length


def _from_parameters(optional: Mapping[str, str]) -> tuple[int, int, int] | None:
    names = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
    if any(not optional.get(name) for name in names):
        return None
    reference, total, number = (int(optional[name], 16) for name in names)
    return reference, total, number
