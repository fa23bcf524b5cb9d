"""A caller whose request waits for people already: they are told since when, and may be put through or leave a message meanwhile.

Nothing else is done for them here: their conversation belongs to people.
"""

from __future__ import annotations

from datetime import datetime

from core.model.capabilities import Family
from core.model.dialog import Said
from core.model.inbound import Session
from dialogs import stack
from dialogs.handover import away_until, can_put_through
from dialogs.turn import Turn

_PATTERN = "pattern_request_waits"


def asks_again(turn: Turn, said: Said) -> bool:
    """Tell whether a caller is being asked what they want meanwhile; who calls anew is asked it from now on."""
    if turn.context.waits_since is None or turn.family != Family.VOICE:
        return False
    if said.session is not Session.NEW:
        return bool(turn.stack) and turn.frame["flow"] == _PATTERN
    stack.push_pattern(turn, _PATTERN, {"since": _since(turn, turn.context.waits_since)})
    turn.set("waits_through", away_until(turn) is None and can_put_through(turn, turn.context.queue))
    return True


def _since(turn: Turn, at: int) -> str:
    """Return a time in the past in words."""
    zone = turn.project.zone
    then, now = (datetime.fromtimestamp(ms / 1000, zone) for ms in (at, turn.context.now_ms))
    time, days = f"{then:%H:%M}", (now.date() - then.date()).days
    if days < 2:
        return turn.text("utter_since_yesterday" if days else "utter_since_today", {"time": time})
    return turn.text("utter_since_date", {"day": f"{then:%d/%m/%Y}"})
