"""The simulated phones' memory: what each app of each number got, in a file of the data folder, since phones outlive the network.

Must not read the gateway's record: a phone knows only what reached it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FILE = "simulator-devices.jsonl"
_SHOWN = 200


class Phones:
    """Documents by app (sms, whatsapp, mail) and number, oldest first; one that comes again replaces the earlier one in its place."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._threads: defaultdict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
        if self._path.exists():
            for line in self._path.read_text("utf-8", errors="replace").split("\n"):
                self._remember(line)
            self._write("")  # ends a line that was being written when the process ended

    def keep(self, app: str, msisdn: str, document_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a document that the phone sent or got, and return it as pages see it."""
        kept = {"id": document_id, "msisdn": msisdn, "app": app, **document}
        self._write(json.dumps(kept))
        self._threads[app, msisdn][document_id] = kept
        return kept

    def find(self, app: str, msisdn: str, document_id: str) -> dict[str, Any] | None:
        """Return one document, None if there is none."""
        return self._threads.get((app, msisdn), {}).get(document_id)

    def thread(self, app: str, msisdn: str) -> list[dict[str, Any]]:
        """Return the newest documents of an app of a number."""
        return list(self._threads.get((app, msisdn), {}).values())[-_SHOWN:]

    def _write(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _remember(self, line: str) -> None:
        try:
            document = json.loads(line)
        except ValueError:
            return  # an end of a line, or a message that nobody has seen, since the process ended while it was written
        self._threads[document["app"], document["msisdn"]][document["id"]] = document
