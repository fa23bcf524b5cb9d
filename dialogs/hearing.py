"""What of a message counts as said: texts without control characters, as each medium writes them down.

Must not interpret them.
"""

from __future__ import annotations

from dataclasses import replace

from core.model.capabilities import Family
from core.model.dialog import Said
from core.model.inbound import Session
from dialogs.model import Collect
from dialogs.normal import clean, without_slash
from dialogs.turn import Turn


def heard(turn: Turn, said: Said) -> Said:
    """Return a message with its texts as they are to be interpreted."""
    texts = tuple(text for text in map(clean, said.texts) if text.strip())
    if turn.family == Family.VOICE:
        texts = tuple(text.rstrip(" .") or text for text in texts)  # written down by a recogniser, as a sentence
    elif turn.family == Family.TELEGRAM:
        begins = said.session is Session.NEW  # by /start, which means consent to whoever has withdrawn it, and else a beginning
        texts = (("start",) if turn.context.opted_out else ()) if begins else tuple(map(without_slash, texts))
    if said.proved and not texts:
        texts = (said.proved,)
    return said if texts == said.texts else replace(said, texts=texts)


def unanswered(turn: Turn) -> bool:
    """Tell whether the latest message was no answer, so that its correction may still be one."""
    if "pending" in turn.state:
        return False
    return bool(turn.state.get("misses")) or (turn.collect_step() is not None and turn.tries(turn.frame) > 0)


def proves(turn: Turn, said: Said) -> str | None:
    """Return the flow that is to take in a number which the message proves; None where the open question asks for one, or nothing does."""
    step: Collect | None = turn.collect_step()
    if not said.proved or (step is not None and step.type == "msisdn"):
        return None
    return turn.project.auth_flow
