"""Named places where a test may end the process, to prove that a crash there is harmless.

`PARLEY_CRASH_AT=name:hit` arms one of them; otherwise `point` does nothing. This is the only test hook in the program.
"""

from __future__ import annotations

import os

_ARMED, _, _HIT = os.environ.get("PARLEY_CRASH_AT", "").partition(":")
_left = int(_HIT or "1")


def point(name: str) -> None:
    """End the process at once, without cleaning up, if this point is armed and was reached often enough."""
    global _left  # noqa: PLW0603 - the count of hits belongs to the process
    if _ARMED and name == _ARMED:
        _left -= 1
        if _left == 0:
            os._exit(70)
