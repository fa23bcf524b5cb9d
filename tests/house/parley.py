"""Runs the command line in this process, as a user would type it."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def parley(*arguments: str, environ: Mapping[str, str] | None = None) -> Ran:
    """Run `parley` with these arguments; `environ` stands in for every PARLEY_ variable."""
    out, err = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("PARLEY_")]:
        del os.environ[name]
    os.environ.update(environ or {})
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(list(arguments))
    except SystemExit as ended:
        return Ran(int(ended.code or 0), out.getvalue(), err.getvalue())
    finally:
        os.environ.clear()
        os.environ.update(before)
    raise AssertionError("main ends the process")
