"""Time and place: sessions that begin, drop and expire, a person who comes back on another channel, timers that are due.

It decides whether what was open goes on, is offered again, or is over.
"""

from __future__ import annotations

from core.model.capabilities import Family
from core.model.dialog import HandedBack, Said, TimerFired
from core.model.inbound import Session
from dialogs import stack
from dialogs.model import Collect, Flow
from dialogs.pages import whole
from dialogs.redial import interrupted
from dialogs.spoken import keys_wanted
from dialogs.steps import run
from dialogs.turn import Frame, Turn

_TTL_S = {"ussd": 900.0, "ivr": 900.0, "email": 7 * 86400.0}
_TTL_OTHER_S = 86400.0
_TTL_RISKY_S = 600.0
_SILENCES_MAX = 3


def expire(turn: Turn) -> None:
    """Drop what has waited too long, before anything is interpreted."""
    proved = turn.state.get("proved")
    if proved is not None and turn.context.now_ms - proved > turn.project.limits.auth_age_s * 1000:
        turn.forget_proof()
    seen = turn.state.get("seen")
    if seen is None or not turn.stack or "pending" in turn.state:
        return
    quiet_s = (turn.context.now_ms - seen) / 1000
    if quiet_s > ttl_s(turn, turn.flow(stack.user_frame(turn))):
        stack.clear(turn)
        turn.state.pop("reason", None)


def ttl_s(turn: Turn, flow: Flow) -> float:
    """Return how long an open frame of `flow` waits for the person, in seconds."""
    if flow.ttl_s is not None:
        return flow.ttl_s
    if flow.risk == "money":
        return _TTL_RISKY_S
    return _TTL_S.get(turn.state.get("family", turn.family), _TTL_OTHER_S)


def arrive(turn: Turn, said: Said) -> bool:
    """Take note of where and when the person speaks; True if that alone settles this turn's input: an offer to go on was made."""
    state, context = turn.state, turn.context
    seen, channel = state.get("seen"), state.get("channel")
    long_ago = seen is not None and (context.now_ms - seen) / 1000 > turn.project.limits.session_s
    moved = channel is not None and channel != context.channel_id
    began = said.session is Session.NEW
    if seen is None or long_ago or began:
        state["turns"] = 0
        state.pop("tried", None)
    state["seen"], state["channel"] = context.now_ms, context.channel_id
    if moved:
        whole(turn)
        _leave_secrets(turn)
    if began and turn.one_shot:
        turn.forget_proof()
    if turn.family == Family.EMAIL and turn.stack and turn.frame["flow"] == "pattern_completed":
        stack.pop(turn)  # nobody is asked by mail whether there is more
    open_frame = interrupted(turn)
    if open_frame is None:
        if began and said.choice is None:
            stack.clear(turn)
        state["family"] = turn.family
        return False
    fresh_session = began and (context.capabilities.session or not said.texts)
    if turn.frame["flow"] == "pattern_continue_interrupted" and not fresh_session:
        state["family"] = turn.family
        return False
    flow = turn.flow(open_frame)
    state_family, state["family"] = state.get("family", turn.family), turn.family
    if not (fresh_session or moved or long_ago):
        return False
    if flow.resume == "never" or (moved and flow.resume == "same_channel") or (fresh_session and said.texts):
        stack.clear(turn)
        return False
    offer_to_continue(turn, flow, state_family if moved else "")
    return fresh_session or not said.texts


def offer_to_continue(turn: Turn, flow: Flow, family: str = "") -> None:
    """Put the question on top whether the person wants to go on with `flow`, begun on a channel of `family`."""
    stack.drop_patterns(turn)
    context = {"flow_name": flow.name(turn.language)}
    if family:
        context["channel"] = turn.text(f"utter_channel_{family}") or family
    stack.push_pattern(turn, "pattern_continue_interrupted", context)


def _leave_secrets(turn: Turn) -> None:
    """Keep secrets and proofs to the channel on which they were given."""
    turn.forget_proof()
    slots = turn.project.slots
    for name in [name for name in turn.slots if name in slots and slots[name].sensitive]:
        turn.set(name, None)


def timer_fired(turn: Turn, fired: TimerFired) -> None:
    """Act on a timer, unless what it was set for is past."""
    nonce = fired.payload.get("nonce")
    if turn.context.owner != "bot" or turn.context.opted_out or "pending" in turn.state:
        return
    if fired.kind == "redial" and nonce == turn.state.get("redial"):
        turn.state.pop("redial")
        frame = interrupted(turn)
        if frame is not None:
            _leave_secrets(turn)
            offer_to_continue(turn, turn.flow(frame), turn.state.get("family", ""))
            turn.state["channel"], turn.state["family"] = turn.context.channel_id, turn.family
            run(turn)
    elif fired.kind == "prompt" and turn.prompt is not None and nonce == turn.prompt["nonce"]:
        turn.state.pop("timer", None)
        step = turn.collect_step()
        if step is not None:
            _remind(turn, turn.frame, step)


def silence(turn: Turn) -> None:
    """Nothing was heard on the phone for as long as the call waits: ask again, and hang up in the end."""
    step = turn.collect_step()
    if step is not None:
        frame = turn.frame
        frame["noinput"] = frame.get("noinput", 0) + 1
        tries = turn.tries(frame)
        last = frame["noinput"] > step.max_noinput or tries >= max(step.max_attempts, _SILENCES_MAX)
        stack.push_pattern(turn, "pattern_user_silence", {"count": tries, "last": last, "keys": keys_wanted(turn, step)})
    run(turn)


def _remind(turn: Turn, frame: Frame, step: Collect) -> None:
    frame["noinput"] = frame.get("noinput", 0) + 1
    if isinstance(step.on_timeout, int):
        turn.close_prompt()
        stack.leave(frame)
        frame["step"] = turn.flow(frame).steps[step.on_timeout].id
    elif step.on_timeout == "expire":
        turn.say("utter_expired", {"flow_name": turn.flow(stack.user_frame(turn)).name(turn.language)})
        stack.cancel(turn)
        turn.over = True
    else:
        frame["noinput"] = step.max_noinput  # one reminder, then quiet
        turn.say("utter_still_there")
    run(turn)


def handed_back(turn: Turn, back: HandedBack) -> None:
    """An agent is done: begin afresh, or offer to go on with what was open."""
    turn.state.pop("notice", None)
    turn.state["turns"] = 0
    frame = interrupted(turn)
    expire(turn)
    if back.closed or frame is None or not turn.stack or "pending" in turn.state:
        if "pending" not in turn.state:
            stack.clear(turn)
        return
    offer_to_continue(turn, turn.flow(frame))
    run(turn)
