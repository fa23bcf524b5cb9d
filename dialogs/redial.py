"""What becomes of an open flow when the line drops or the call ends in silence: it stays open, and after a while is offered by message.

It starts nothing; `dialogs.sessions` makes the offer when the time has come.
"""

from __future__ import annotations

from core.model.dialog import SetTimer
from dialogs.turn import Frame, Turn

_REDIAL_S = 60.0


def interrupted(turn: Turn) -> Frame | None:
    """Return the frame that is worth going on with: not the menu, and not a question of the bot's own."""
    return next((frame for frame in reversed(turn.stack) if frame["kind"] == "user" and frame["flow"] != turn.project.start_flow), None)


def line_dropped(turn: Turn, *, unheard: bool = False) -> None:
    """Wait for the person to come back; what is open stays open. What was said last is said again where it was `unheard`."""
    if unheard:
        for text in turn.state.get("said", ()):
            turn.say_text(text)
    frame = interrupted(turn)
    if frame is None or "pending" in turn.state or turn.flow(frame).resume != "any":
        return
    mark = turn.nonce()
    turn.state["redial"] = mark
    turn.effects.append(SetTimer("redial", _REDIAL_S, {"nonce": mark}))
