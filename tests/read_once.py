"""Each text of a dialog file is taken apart once in a process, since that is nine tenths of the time in which a gateway starts.

Importing this module is enough. It changes no result: the nodes are a function of the text, and nobody writes to them.
"""

from __future__ import annotations

from functools import lru_cache

from dialogs import source

source.composed = lru_cache(maxsize=512)(source.composed)  # type: ignore[assignment]
