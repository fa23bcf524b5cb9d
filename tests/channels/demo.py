"""The demo operator with one more channel, for talks through a whole gateway."""

from __future__ import annotations

import re
from pathlib import Path

_DEMO = Path(__file__).parents[2] / "config" / "parley.toml"


def demo_with(folder: Path, channel: str) -> Path:
    """Return a configuration in `folder`: the demo's, and the table of a channel, which takes the place of one that has its id."""
    header = channel.strip().partition("\n")[0]
    kept = [table for table in re.split(r"(?m)^(?=\[)", _DEMO.read_text("utf-8")) if table.partition("\n")[0] != header]
    path = folder / "parley.toml"
    path.write_text(f"{''.join(kept)}\n{channel}", "utf-8")
    return path
