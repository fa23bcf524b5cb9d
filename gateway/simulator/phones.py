"""The simulated phones' memory: each number's messages, in a file of the data folder, as a phone keeps them when the network restarts.

Must not read the gateway's record: a phone knows only what reached it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

_FILE = "simulator-phones.jsonl"
_SHOWN = 200


class Phones:
    """Text messages by number, oldest first."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._threads: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        if self._path.exists():
            for line in self._path.read_text("utf-8", errors="replace").split("\n"):
                self._remember(line)
            self._write("")  # ends a line that was being written when the process ended

    def keep(self, msisdn: str, *, sid: str, sent: bool, text: str, at: int) -> dict[str, Any]:
        """Keep a message that the phone sent or got, `sid` being its id in the network; return it as a document."""
        document = {"sid": sid, "msisdn": msisdn, "sent": sent, "text": text, "at": at}
        self._write(json.dumps(document))
        self._threads[msisdn].append(document)
        return document

    def thread(self, msisdn: str) -> list[dict[str, Any]]:
        """Return the newest messages of a number."""
        return self._threads.get(msisdn, [])[-_SHOWN:]

    def _write(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _remember(self, line: str) -> None:
        try:
            document = json.loads(line)
        except ValueError:
            return  # an end of a line, or a message that nobody has seen, since the process ended while it was written
        self._threads[document["msisdn"]].append(document)
