"""The flows that come with the gateway: one folder a library, in the format that every operator's own flows have."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def shipped(name: str) -> Path | None:
    """Return the folder of the library `name`, or None if none of that name is shipped."""
    return next((folder for folder in _FOLDER.iterdir() if folder.name == name and (folder / "gateway.yml").is_file()), None)
