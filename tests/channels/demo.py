"""The demo operator with one more channel, for talks through a whole gateway."""

from __future__ import annotations

from pathlib import Path

_DEMO = Path(__file__).parents[2] / "config" / "parley.toml"


def demo_with(folder: Path, channel: str) -> Path:
    """Return a configuration in `folder`: the demo's, and the table of a channel."""
    path = folder / "parley.toml"
    path.write_text(f"{_DEMO.read_text('utf-8')}\n{channel}", "utf-8")
    return path
