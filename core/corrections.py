"""What people correct after having said it: both versions stay in the record; only the latest word is told to the dialog again.

Must not know how a channel lets people correct something.
"""

from __future__ import annotations

from typing import Any

from core.model.dialog import Corrects
from core.model.inbound import InboundMessage
from core.store import corrections
from core.store.api import Tx


def place(tx: Tx, conversation_id: str, channel_id: str, message_id: str, said: InboundMessage) -> tuple[dict[str, Any], Corrects]:
    """Return what the record keeps of a message so that it can be corrected, and what it corrects itself; marks the earlier version."""
    content: dict[str, Any] = {} if said.edit_key is None else {"edit_key": said.edit_key}
    earlier = None if said.edits is None else corrections.find(tx, conversation_id, channel_id, said.edits)
    if earlier is None:
        return content, Corrects.NOTHING
    corrections.mark(tx, earlier[0], message_id)
    return {**content, "corrects": earlier[0]}, Corrects.LATEST if earlier[1] else Corrects.EARLIER
