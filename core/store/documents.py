"""Documents as JSON text, the way every table keeps them: compact, in UTF-8; the encoder is made once."""

from __future__ import annotations

import json

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
decode = json.loads
