"""Imported by the server process from which lives are forked: what every life would import and read anew is there already.

It starts nothing that a fork could not carry over: no thread, no loop, no store.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import tests.quick  # noqa: F401 - for what it does
from config.keys import open_keys
from config.load import load
from dialogs.actions import load_actions
from gateway import compose
from gateway.configured import make_channels
from tests.faults.lives import make_home

NOWHERE = "http://127.0.0.1:1"

with TemporaryDirectory() as folder:
    home = make_home(Path(folder), provider=NOWHERE, backend=NOWHERE)
    settings = load(home.config, os.environ, None)
    make_channels(settings, os.environ, open_keys(home.data), NOWHERE)
    compose.load_dialogs(settings)
    load_actions(compose.project_folder(settings))

gc.collect()
gc.freeze()  # or each life would look through all of this when it collects, and so copy it
