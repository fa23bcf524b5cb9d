"""The whole check, one step after the other: style, types, layers, tests.

Every step runs, whatever the ones before it said, so that one run shows all there is to mend. Must not decide what is right:
the rules are in pyproject.toml and in the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = (sys.executable, "-P", "-m")
LINT_IMPORTS = (sys.executable, "-P", "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")

# What needs no test to run, beside each other.
STATIC = {
    "style": (*PYTHON, "ruff", "check", "--quiet", "."),
    "format": (*PYTHON, "ruff", "format", "--check", "--quiet", "."),
    "types": (*PYTHON, "mypy"),
    "layers": LINT_IMPORTS,
    # Also so that the processes of tests find the modules compiled, and do not all compile them at the same time.
    "collects": (*PYTHON, "pytest", "--collect-only", "--quiet", "--long"),
}
WORKERS = str((os.cpu_count() or 2) + 2)  # many tests wait for the processes that they start


def check(pytest_arguments: Sequence[str]) -> int:
    """Run every step; return 0 if all passed."""
    failed = [name for name, passed in _static().items() if not passed]
    sys.stdout.flush()
    if _tests(pytest_arguments) != 0:
        failed.append("tests")
    if failed:
        print(f"Not passed: {', '.join(failed)}.")
    return 1 if failed else 0


def _static() -> dict[str, bool]:
    """Run the steps before the tests; print how each went, in their order."""
    passed = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs: dict[str, Future[tuple[int, str, float]]] = {name: pool.submit(_run, command) for name, command in STATIC.items()}
        for name, run in runs.items():
            code, output, seconds = run.result()
            passed[name] = code == 0
            print(f"{name:8} {'passed' if code == 0 else 'FAILED'}  {seconds:.1f} s", flush=True)
            if code != 0:
                print(output, flush=True)
    return passed


def _run(command: Sequence[str]) -> tuple[int, str, float]:
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - begun


def _tests(arguments: Sequence[str]) -> int:
    parallel = (
        () if any(argument.startswith(("-n", "--numprocesses")) for argument in arguments) else ("-n", WORKERS, "--dist", "worksteal")
    )
    command = (*PYTHON, "pytest", *parallel, *arguments)
    return subprocess.run(command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, check=False).returncode


def _environment() -> dict[str, str]:
    """Return the environment without the settings of a gateway that may be at home here.

    Compiled modules are kept: the tests start the program a hundred times, and each start would compile all of it.
    """
    kept = {"PARLEY_CHROMIUM", "PARLEY_VENV"}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_") or name in kept}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**environ, "PYTHONPATH": str(ROOT)}
