"""The log: one line a record, JSON for machines, short text at a terminal. What an error says is left out: it may quote somebody.

Messages are made of ids and codes by those who log; nothing here looks for personal data, since nothing may put it in.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

LINE_MAX_CHARS = 8_000


class JsonLines(logging.Formatter):
    """Records as JSON objects: time, level, from, message, and for errors the type and the places passed."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without breaks or control characters."""
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage()[:LINE_MAX_CHARS],
        }
        if record.exc_info and record.exc_info[1] is not None:
            document |= _fault(record.exc_info[1])
        return json.dumps(document)


class ShortLines(logging.Formatter):
    """Records as `level from: message`, with the type of an error and its last place."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record; control characters become visible."""
        text = record.getMessage()[:LINE_MAX_CHARS]
        if record.exc_info and record.exc_info[1] is not None:
            fault = _fault(record.exc_info[1])
            text += f" ({fault['error']} at {fault['places'][-1] if fault['places'] else 'an unknown place'})"
        shown = "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text)
        return f"{record.levelname.lower()} {record.name}: {shown}"


def _fault(error: BaseException) -> dict[str, Any]:
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"error": type(error).__name__, "places": places}


def unheard(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that nobody waited for; the event loop's own text would quote it."""
    logging.getLogger("asyncio").error("an error that nobody waited for", exc_info=context.get("exception"))


def configure(stream: TextIO | None = None) -> None:
    """Send warnings and errors of the whole process to `stream`, standard error by default."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ShortLines() if stream.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
