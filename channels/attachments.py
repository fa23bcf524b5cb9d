"""What providers say of attachments: where they lie, and of which kind they are.

Must not fetch anything.
"""

from __future__ import annotations

_KINDS = frozenset({"image", "audio", "video"})
_URL_CHARS_MAX = 2_048


def kind_of(content_type: str) -> str:
    """Return which kind of attachment has this content type; what nobody can look at is a document."""
    kind = content_type.partition("/")[0]
    return kind if kind in _KINDS else "document"


def is_link(text: str) -> bool:
    """Tell whether a text can be the address of an attachment."""
    return text.startswith(("https://", "http://")) and len(text) <= _URL_CHARS_MAX
