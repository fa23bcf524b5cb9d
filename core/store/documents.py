"""Documents as JSON text, the way every table keeps them: compact, in UTF-8."""

from __future__ import annotations

from typing import Any

import orjson

decode = orjson.loads


def encode(document: Any) -> str:
    """Return a document as text; raises TypeError for what is not plain JSON."""
    return orjson.dumps(document).decode()
