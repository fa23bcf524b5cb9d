"""What a log may say of an error that nobody expected: its type and place, never its text, which may quote a customer."""

from __future__ import annotations

import logging
import traceback


def log_fault(log: logging.Logger, what: str, error: BaseException) -> None:
    """Log that `what` failed, with the type of the error and the lines of code that it passed."""
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s failed: %s\n%s", what, type(error).__name__, places)
