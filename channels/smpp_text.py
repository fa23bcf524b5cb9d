"""The alphabets of short messages as octets: what a data coding means, in both directions (3GPP TS 23.038, SMPP 3.4 section 5.2.19).

One octet holds one septet, as SMS centres exchange them; nothing is packed here. Must not know a PDU.
"""

from __future__ import annotations

from core.text.segments import Encoding, measure
from core.text.split import sms_parts, split, ucs2_length

_ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
_ENCODED = {character: bytes([index]) for index, character in enumerate(_BASIC) if index != _ESCAPE} | {
    character: bytes([_ESCAPE, index]) for character, index in _EXTENSION.items()
}
_ESCAPED = {index: character for character, index in _EXTENSION.items()}
_CODECS = {0x01: "ascii", 0x03: "latin-1", 0x05: "shift_jis", 0x06: "iso8859_5", 0x07: "iso8859_8", 0x08: "utf-16-be", 0x0E: "euc_kr"}
_BINARY = {0x02, 0x04}
DEFAULT, UCS2 = 0x00, 0x08


def gsm7(text: str) -> bytes:
    """Return a text of the GSM alphabet in octets; raises KeyError for any other character."""
    return b"".join(map(_ENCODED.__getitem__, text))


def from_gsm7(octets: bytes) -> str:
    """Return the text of octets of the GSM alphabet; an escape without a known follower is a space, as a phone shows it."""
    characters: list[str] = []
    rest = iter(octets)
    for octet in rest:
        if octet != _ESCAPE:
            characters.append(_BASIC[octet] if octet < len(_BASIC) else "\ufffd")
            continue
        follower = next(rest, None)
        if follower is not None:
            characters.append(_ESCAPED.get(follower) or (_BASIC[follower] if follower < len(_BASIC) and follower != _ESCAPE else " "))
    return "".join(characters)


def decoded(octets: bytes, data_coding: int, alphabet: str) -> str | None:
    """Return the text of a message, None for one that is no text. `alphabet` is what the centre's default, 0, stands for."""
    data_coding = _plain_coding(data_coding)
    if data_coding in _BINARY:
        return None
    if data_coding == DEFAULT:
        return from_gsm7(octets) if alphabet == "gsm7" else octets.decode(alphabet, "replace")
    return octets.decode(_CODECS.get(data_coding, "latin-1"), "replace")


def _plain_coding(data_coding: int) -> int:
    """Return the code below 16 for one of the groups of GSM: with a message class, compressed or not, or with a waiting indication."""
    if data_coding < 0x10:
        return data_coding
    group = data_coding >> 4
    if group == 0xF:
        return 0x04 if data_coding & 0x04 else DEFAULT
    if group == 0xE:
        return UCS2
    if group < 0x8:
        return (DEFAULT, 0x04, UCS2, DEFAULT)[(data_coding >> 2) & 0x03]
    return DEFAULT


def encoded(text: str, alphabet: str) -> tuple[int, list[bytes]]:
    """Return the data coding of a text and the octets of each part that a phone puts together again."""
    size = measure(text)
    if size.encoding is Encoding.GSM7 and alphabet == "gsm7":
        return DEFAULT, [gsm7(part) for part in sms_parts(text)]
    if size.encoding is Encoding.GSM7 and _fits(text, alphabet):
        return DEFAULT, [part.encode(alphabet) for part in sms_parts(text)]
    if ucs2_length(text) <= 70:
        return UCS2, [text.encode("utf-16-be")]
    return UCS2, [part.encode("utf-16-be") for part in split(text, 67, ucs2_length)]


def _fits(text: str, alphabet: str) -> bool:
    try:
        text.encode(alphabet)
    except UnicodeEncodeError:
        return False
    return True
