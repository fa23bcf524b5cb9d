"""What the kernel is asked for, and in which order: no answer leaves before a sync that began after what it acknowledges was written."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.actors import World, world
from tests.faults.lives import make_home
from tests.house.gateway_process import environment

MESSAGES, AT_ONCE = 200, 8
CALLS = "trace=recvfrom,read,sendto,write,writev,sendmsg,pwrite64,fsync,fdatasync"
LIVE = "import sys; from gateway.cli import main; main(sys.argv[1:])"
SPOILT = (
    "from functools import partial; from gateway import compose; compose.open_store = partial(compose.open_store, synchronous='normal');"
)
URL = re.compile(rb"http://127\.0\.0\.1:\d+")
LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\((\d+)<([^>]*)>)(.*)")
MARK = re.compile(r"zmark(\d{4})z")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: from when to when, as places in the trace; which call, of which file, and what else the trace has of it."""

    begun: int
    done: int
    name: str
    file: str
    rest: str


def calls(trace: Sequence[str]) -> list[Call]:
    """Return the calls of a trace in the order in which they began; those that did not end are left out."""
    open_calls: dict[str, tuple[int, str, str, str]] = {}
    found = []
    for place, line in enumerate(trace):
        match = LINE.match(line)
        if match is None:
            continue
        thread, resumed, name, descriptor, file, rest = match.groups()
        if resumed:
            begun, known, of_file, before = open_calls.pop(thread)
            assert known == resumed
            found.append(Call(begun, place, known, of_file, before + rest))
        elif "<unfinished ...>" in rest:
            open_calls[thread] = (place, name, f"{descriptor}<{file}>", rest)
        else:
            found.append(Call(place, place, name, f"{descriptor}<{file}>", rest))
    return sorted(found, key=lambda call: call.begun)


def answered_too_early(trace: Sequence[str]) -> list[int]:
    """Return the numbers of the messages whose answer left before what they were written into was synced."""
    made = calls(trace)
    written: dict[int, Call] = {}
    asked: dict[str, int] = {}
    syncs = [call for call in made if call.name in {"fsync", "fdatasync"} and "-wal>" in call.file]
    early, answered = [], set()
    for call in made:
        marks = [int(number) for number in MARK.findall(call.rest)]
        if call.name in {"recvfrom", "read"} and marks:
            asked[call.file] = marks[0]
        elif call.name == "pwrite64" and "-wal>" in call.file:
            for mark in marks:
                written.setdefault(mark, call)
        elif call.name in {"sendto", "write", "writev", "sendmsg"} and "HTTP/1.1 200" in call.rest and call.file in asked:
            mark = asked.pop(call.file)
            answered.add(mark)
            row = written.get(mark)
            if row is None or not any(row.done < sync.begun and sync.done < call.begun for sync in syncs):
                early.append(mark)
    assert answered == set(range(MESSAGES)), "the trace does not show every answer"
    return early


async def traced(around: World, file: Path, program: str) -> list[str]:
    """Let a gateway live under strace, send it messages, and return its system calls."""
    run = ["run", "--port", "0", "--data", str(around.home.data), "--config", str(around.home.config)]
    strace = ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-s", "70000", "-e", "signal=none", "-e", CALLS, "-o", str(file)]
    process = await asyncio.create_subprocess_exec(
        *strace, sys.executable, "-P", "-c", program, *run, env=environment(), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            said = b""
            while not (url := URL.search(said)):
                part = await process.stdout.readline()
                assert part, "the gateway did not start"
                said += part
            await speak(around, url[0].decode())
        os.kill(int(read(file)[0].split(maxsplit=1)[0]), signal.SIGTERM)
        async with asyncio.timeout(60):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return read(file)


def read(file: Path) -> list[str]:
    """Return the lines of a trace."""
    return file.read_text(encoding="utf-8", errors="replace").splitlines()


async def speak(around: World, url: str) -> None:
    """Send the messages, some at once, each with a mark of its own."""
    numbers = iter(range(MESSAGES))

    async def person(place: int) -> None:
        for number in numbers:
            sent = around.sms(number + 1, f"+25471100{place:04d}", f"zmark{number:04d}z", "twiml")
            assert await around.post(url, sent) is not None

    await asyncio.gather(*map(person, range(AT_ONCE)))


@pytest.mark.strace
async def test_every_answer_leaves_after_a_sync_of_what_it_acknowledges(tmp_path: Path) -> None:
    async with world(tmp_path, make_home) as around:
        assert answered_too_early(await traced(around, tmp_path / "trace", LIVE)) == []


@pytest.mark.strace
async def test_without_syncs_it_is_found_out(tmp_path: Path) -> None:
    async with world(tmp_path, make_home) as around:
        early = answered_too_early(await traced(around, tmp_path / "trace", SPOILT + LIVE))
    assert len(early) > MESSAGES * 0.9
