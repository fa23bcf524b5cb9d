"""What stands before the dialog: consent, a conversation that people own, and the ends of loops."""

from __future__ import annotations

from core.model.capabilities import Family
from core.model.dialog import SetConsent
from core.model.outbound import Reply
from dialogs import stack
from dialogs.handover import hand_over
from dialogs.normal import normal
from dialogs.turn import Stuck, Turn

_NOTICE_EVERY_MS = 300_000
_DAY_MS = 86_400_000


def take_consent(turn: Turn, *, opted_in: bool) -> None:
    """Carry out a word of consent; a word that says stop also ends what was going on."""
    turn.effects.append(SetConsent(opted_in))
    if not opted_in and turn.context.owner == "bot" and "pending" not in turn.state:
        stack.clear(turn)
    if opted_in or not turn.context.opted_out or turn.context.capabilities.inline_reply:
        turn.say("utter_opted_in" if opted_in else "utter_opted_out")
    turn.over = True
    turn.ends = turn.one_shot


def keep_waiting(turn: Turn) -> None:
    """People own the conversation: one notice in five minutes while nobody has taken it, otherwise silence."""
    now = turn.context.now_ms
    if turn.context.owner == "queued" and now - turn.state.get("notice", 0) >= _NOTICE_EVERY_MS:
        turn.state["notice"] = now
        turn.say("utter_waiting_agent")
    elif turn.context.capabilities.session:
        turn.say("utter_waiting_agent")
    turn.ends = turn.one_shot


def too_often(turn: Turn, texts: tuple[str, ...]) -> bool:
    """Stop loops of two machines: the same words again and again, or too many in a minute; one word about it, then silence."""
    limits, state, now = turn.project.limits, turn.state, turn.context.now_ms
    state["turns"] = state.get("turns", 0) + 1
    if state["turns"] > limits.turns_per_session:
        raise Stuck("turns")
    minute, count = state.get("minute", (0, 0))
    count = count + 1 if now - minute < 60_000 else 1
    state["minute"] = [now if count == 1 else minute, count]
    word = normal(texts[0]) if len(texts) == 1 and not turn.one_shot else ""
    if len(word) > 2:
        last, times = state.get("same", ("", 0))
        times = times + 1 if last == word[:64] else 1
        state["same"] = [word[:64], times]
    else:
        times = 0
        state.pop("same", None)
    if times < limits.same_text and count <= limits.texts_per_minute:
        return False
    if times == limits.same_text or count == limits.texts_per_minute + 1 or turn.one_shot:
        turn.say("utter_rate_limited")
    turn.ends = turn.one_shot
    return True


def mails_used_up(turn: Turn) -> bool:
    """Tell whether this person got as many automatic answers by mail as there may be in a day: another machine may be answering them."""
    since, count = turn.state.get("mails", (0, 0))
    limit = turn.project.limits.mails_per_day
    return turn.family == Family.EMAIL and count >= limit and turn.context.now_ms - since < _DAY_MS


def within_mails(turn: Turn, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """Count automatic answers by mail, and return those that may still be given."""
    if turn.family != Family.EMAIL or not replies:
        return replies
    if mails_used_up(turn):
        return ()
    since, count = turn.state.get("mails", (0, 0))
    now = turn.context.now_ms
    turn.state["mails"] = [since, count + 1] if now - since < _DAY_MS else [now, 1]
    return replies


def give_up(turn: Turn, code: str) -> None:
    """A loop guard tripped: nothing of what the loop said is sent; apologise and call a person."""
    turn.said.clear()
    turn.effects.clear()
    turn.state.pop("pending", None)
    turn.say("utter_internal_error")
    hand_over(turn, f"stuck:{code}", offer=False)
    turn.stack.clear()
