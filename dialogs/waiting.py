"""While people own a conversation: a notice that they have it, for callers what they may do meanwhile, and when they are back from people.

A caller whose request waits is told since when, and may be put through or leave a message. Nothing else is done for them here: their
conversation belongs to people.
"""

from __future__ import annotations

from datetime import datetime

from core.model.capabilities import Family
from core.model.dialog import Said, TransferEnded
from core.model.inbound import Session
from dialogs import sessions, stack
from dialogs.guards import keep_waiting
from dialogs.handover import away_until, can_put_through, nobody_free
from dialogs.interpret import interpret
from dialogs.meanings import Choose, Give, Meaning, Unclear
from dialogs.prompts import recorded
from dialogs.steps import run
from dialogs.turn import Turn
from dialogs.understanding import Understand

_PATTERN = "pattern_request_waits"


def while_waiting(turn: Turn, said: Said, understand: Understand) -> Meaning | None:
    """Hear what is said to people who own the conversation; return what the caller answers who was asked what they want meanwhile."""
    if not _asked(turn, said):
        keep_waiting(turn)
    elif said.session is Session.NEW or recorded(turn, said.media):
        run(turn)
    elif not said.texts:
        sessions.silence(turn)
    else:
        meaning = interpret(turn, " ".join(said.texts), understand)
        return meaning if isinstance(meaning, Choose | Give) else Unclear()
    return None


def _asked(turn: Turn, said: Said) -> bool:
    """Tell whether a caller is being asked what they want meanwhile; who calls anew is asked it from now on."""
    if turn.context.waits_since is None or turn.family != Family.VOICE:
        return False
    if said.session is not Session.NEW:
        return bool(turn.stack) and turn.frame["flow"] == _PATTERN
    _ask(turn, turn.context.waits_since, through=away_until(turn) is None and can_put_through(turn, turn.context.queue))
    return True


def _ask(turn: Turn, since: int, *, through: bool) -> None:
    stack.push_pattern(turn, _PATTERN, {"since": _since(turn, since)})
    turn.set("waits_through", through)


def transfer_ended(turn: Turn, ended: TransferEnded) -> None:
    """Part from a caller who has talked to somebody; whoever has not is offered what can be done while nobody is free, or waits on."""
    if ended.queue is not None:
        turn.say("utter_in_line_again")
        turn.transfer = ended.queue
        turn.over = True
        return
    if not ended.taken and turn.context.owner == "bot":
        nobody_free(turn, None)
        return
    if ended.left and turn.context.waits_since is not None:
        _ask(turn, turn.context.waits_since, through=False)
        return
    if not ended.taken:
        turn.say("utter_waiting_agent")
    turn.over = turn.ends = True


def _since(turn: Turn, at: int) -> str:
    """Return a time in the past in words."""
    zone = turn.project.zone
    then, now = (datetime.fromtimestamp(ms / 1000, zone) for ms in (at, turn.context.now_ms))
    time, days = f"{then:%H:%M}", (now.date() - then.date()).days
    if days < 2:
        return turn.text("utter_since_yesterday" if days else "utter_since_today", {"time": time})
    return turn.text("utter_since_date", {"day": f"{then:%d/%m/%Y}"})
