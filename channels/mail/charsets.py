"""Turns bytes into text with the character set that a mail names, that it means, or that the bytes show.

Senders name sets that do not exist, or one set and use another. Must not fail: what fits nowhere is read as windows-1252.
"""

from __future__ import annotations

import re

# What the name says, and what its users mean by it. Anything else is looked up among Python's own names in `_KNOWN`.
_MEANT = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "646": "utf-8",
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
    "default": "utf-8",
    "utf8": "utf-8",
    "utf-8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "ansi": "cp1252",
    "x-ansi": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "euc-cn": "gb18030",
    "big5": "big5hkscs",
    "x-big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "koi8": "koi8_r",
}
# The sets that may be used by name. Python has codecs besides these that are no character sets, or take quadratic time.
_KNOWN = frozenset(
    [f"iso8859-{number}" for number in range(1, 17)]
    + [f"cp{number}" for number in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874, 932, 949, 950)]
    + [f"cp{number}" for number in range(1250, 1259)]
    + ["utf-7", "utf-8", "utf-16", "utf-16le", "utf-16be", "utf-32", "gb18030", "big5", "big5hkscs", "euc_jp", "hz"]
    + ["iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr", "johab"]
    + ["koi8_r", "koi8_u", "koi8_t", "mac_roman", "mac_cyrillic", "mac_latin2", "mac_greek", "mac_turkish", "ptcp154", "tis_620"]
)
_SPELLING = re.compile(r"^(?:x-)?(?:windows|cp|ibm|dos|ms|win)[-_]?(\d{3,4})$")
_ISO = re.compile(r"^iso[-_]?8859[-_](\d{1,2})(?:[:_]\d{4})?$")
_BY_DEFAULT = {"cp1252", "cp1254", None}  # named without thought more often than by choice
_NOT_BYTES = {"utf-7", "utf-8", "utf-16", "utf-16le", "utf-16be", "utf-32", "hz"} | {name for name in _KNOWN if name.startswith("iso2022")}
_NO_CHANCE = 3  # characters that make UTF-8 by chance out of another set: no more than two
_JIS = re.compile(rb"\x1b\$[@B]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def codec(name: str) -> str | None:
    """Return the name of the Python codec that a character set in a mail means, or None if there is no such set."""
    plain = name.strip(" \t\"'<>;").lower().partition("*")[0]
    if plain in _MEANT:
        return _MEANT[plain]
    if spelled := _SPELLING.match(plain):
        plain = f"cp{spelled[1]}"
    elif spelled := _ISO.match(plain):
        plain = f"iso8859-{spelled[1]}"
    for candidate in (plain, plain.replace("-", "_"), plain.replace("_", "-")):
        meant = _MEANT.get(candidate, candidate)
        if meant in _KNOWN:
            return meant
    return None


def decode(content: bytes, charset: str = "") -> str:
    """Return the text of `content`: a byte order mark counts most, then UTF-8 if the bytes are, then what `charset` means."""
    named = codec(charset)
    for mark, name in _BOMS:
        if content.startswith(mark) and (name in {"utf-8", named} or len(content) % 2 == 0):
            whole = content if name == "utf-8" else content[: len(content) // 2 * 2]
            return whole.decode(name, "replace").lstrip("\ufeff")
    if named in {"utf-8", "cp1252", None} and _JIS.search(content):  # seven bits say which set they are in, whatever the header does
        named = "iso2022_jp_ext"
    if named not in _NOT_BYTES and _is_utf8(content) and (named in _BY_DEFAULT or sum(byte >= 0xC0 for byte in content) >= _NO_CHANCE):
        return content.decode("utf-8")
    try:
        return content.decode(named or "cp1252")
    except UnicodeError:
        return _other(content, named or "cp1252")


def decode_header(content: bytes, charset: str = "") -> str:
    """Return the text of a header field that came in eight bits: as UTF-8 if it is, else in the set that the body is in."""
    return decode(content, "utf-8" if _is_utf8(content) or codec(charset) in _NOT_BYTES else charset)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _other(content: bytes, named: str) -> str:
    """Decode bytes that are not what they are said to be: as UTF-8, as named but for single faults, or as windows-1252."""
    if named != "utf-8" and _is_utf8(content):
        return content.decode("utf-8")
    text = content.decode(named, "replace")
    faults = text.count("\ufffd")
    if named == "utf-8":  # a text that was damaged on its way, unless the other set explains more of it
        return text if sum(character > "\x7f" for character in text) >= faults * 2 else content.decode("cp1252", "replace")
    high = sum(byte > 127 for byte in content)
    return text if named != "cp1252" and faults * 4 <= max(high, 1) else content.decode("cp1252", "replace")
