"""What holds for every test: the network ends at loopback, options for the long runs, and what is said of tests that cannot run.

Must not hold fixtures of one package; those live beside its tests.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

import tests.quick  # noqa: F401 - for what it does

ROOT = Path(__file__).parents[1]
SMPP_PACKAGE = "smpp@0.5.1"
NO_BROWSER = "browser tests, because there is no Chromium (apt-get install chromium, or set PARLEY_CHROMIUM)"
NO_STRACE = "tests of system calls, because there is no strace (apt-get install strace)"
NO_SMSC = "tests against an SMS centre, because node or its package smpp is not to be had (apt-get install nodejs npm)"


class NetworkRefused(AssertionError):
    """A test tried to reach something other than this machine."""


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = address[0]
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and every name look-up that leaves the machine."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(address: Any) -> None:
        raise NetworkRefused(f"no network in tests but loopback: {address!r}")

    def checked(method: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if not _is_local(address):
                refuse(address)
            return method(self, address)

        return call

    def checked_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_local((name,)):
            refuse(name)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", checked(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", checked(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", checked_look_up)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of `parley test` that tests read with `request.config.getoption`."""
    parser.addoption("--long", action="store_true", help="also run the tests marked long")
    parser.addoption("--kills", type=int, default=200, help="how often the fault test kills the gateway")
    parser.addoption("--update", action="store_true", help="rewrite the expectations of the golden conversations")


def chromium_path() -> str | None:
    """Return the browser that the browser tests drive, if this machine has one."""
    return os.environ.get("PARLEY_CHROMIUM") or shutil.which("chromium")


def _spread(items: list[pytest.Item], workers: int) -> None:
    """Let every process begin with its share of the longest tests: pytest-xdist cuts the list into one piece for each process."""
    longest = [item for item in items if item.get_closest_marker("first") is not None]
    others = [item for item in items if item.get_closest_marker("first") is None]
    share = -(-len(others) // workers)
    items[:] = [item for worker in range(workers) for item in (*longest[worker::workers], *others[worker * share : (worker + 1) * share])]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out of the everyday run, begin with its longest, and mark the browser tests where there is no browser."""
    if not config.getoption("--long"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long") is not None])
        items[:] = [item for item in items if item.get_closest_marker("long") is None]
    _spread(items, workers=getattr(config, "workerinput", {}).get("workercount", 1))
    needs = (
        ("browser", NO_BROWSER if chromium_path() is None else ""),
        ("smsc", "" if _can_install() else NO_SMSC),
        ("strace", NO_STRACE if shutil.which("strace") is None else ""),
    )
    for marker, reason in needs:
        for item in items:
            if reason and item.get_closest_marker(marker) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; only for tests marked `browser`."""
    path = chromium_path()
    if path is None:
        raise AssertionError("a test that asks for the browser must be marked browser")
    return path


def _can_install() -> bool:
    return shutil.which("npm") is not None and shutil.which("node") is not None


@pytest.fixture(scope="session")
def smpp_package() -> Path:
    """The folder of the npm package smpp, installed once for all runs; only for tests marked `smsc`."""
    folder = ROOT / ".parley" / "npm" / SMPP_PACKAGE.replace("@", "-")
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "node_modules" / "smpp"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), SMPP_PACKAGE]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            if done.returncode != 0:
                pytest.skip(NO_SMSC)
            (folder / "done").touch()
    return package


_not_run = pytest.StashKey[list[tuple[str, str]]]()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note what did not run, while the reports are still at hand."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    session.config.stash[_not_run] = sorted(
        (next((why for why in (NO_SMSC, NO_STRACE) if why in str(report.longrepr)), NO_BROWSER), report.nodeid) for report in skipped
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Name, after everything else, the tests that this machine cannot run."""
    not_run = config.stash.get(_not_run, [])
    if hasattr(config, "workerinput"):
        return
    for reason in sorted({reason for reason, _ in not_run}):
        names = [name for why, name in not_run if why == reason]
        print(f"Not run: {len(names)} {reason}:")
        for name in names:
            print(f"  {name}")
