"""Resolves references to secrets, so that no configuration file ever holds one.

Must not log, print or keep what it resolves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.keys import Keys

_FORMS = '{env = "NAME"} or {file = "path"}'
_FILE_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where secrets come from: the environment, files beside the configuration, and, in the demo, the key in the data folder."""

    environ: Mapping[str, str]
    folder: Path
    keys: Keys | None = None

    def __call__(self, reference: Any, name: str) -> str:
        """Return the secret for the setting `name`; raises ValueError with a sentence that does not contain it."""
        match reference:
            case {"env": str(variable), **rest} if not rest:
                return self._from_environment(variable)
            case {"file": str(path), **rest} if not rest:
                return self._from_file(self.folder / path)
            case {"generated": True, **rest} if not rest:
                if self.keys is None:
                    raise ValueError(f"generated secrets are for the demo only: use {_FORMS}")
                return self.keys.token(name)
        raise ValueError(f"is a secret, so give a reference to it: {_FORMS}, not the value itself")

    def _from_environment(self, variable: str) -> str:
        value = self.environ.get(variable, "")
        if not value:
            raise ValueError(f"the environment variable {variable} is not set")
        return value

    def _from_file(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                value = file.read(_FILE_BYTES_MAX).decode().strip()
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not text") from None
        if not value:
            raise ValueError(f"{path} is empty")
        return value
