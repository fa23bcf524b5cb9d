"""The load generator: keep-alive connections on bare sockets, each with one request under way, in a process and on a core of its own.

It must cost far less than what it measures, so it reads just enough of an answer to know that it is whole and good. Run as a program it
takes a `Plan` as JSON on standard input and prints a `Result`.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gateway.bench.process import environment
from gateway.bench.traffic import TRAFFIC, Request

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_STALLED_S = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: the kind of traffic and its values, over how many connections, for how many seconds after `warm_up_s`.

    `answers_max` ends it earlier. `module` is the program that applies it.
    """

    port: int
    traffic: str
    values: Mapping[str, Any]
    connections: int
    seconds: float
    warm_up_s: float = 1.0
    answers_max: int = 10_000_000
    module: str = "gateway.bench.load"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: answers a second, latencies in ms, the share of a core that the generator took, answers that were wrong.

    `answers` are those that were measured, `total` has those of the warm-up too. `replies` are messages that came the other way.
    """

    rps: float
    p50_ms: float
    p99_ms: float
    answers: int
    total: int
    wrong: int
    generator_load: float
    sample: str = ""
    replies: int = 0


class LoadFailed(Exception):
    """The load could not be applied, or the answers were not those of the measured path."""


def apply(plan: Plan, core: int | None) -> Result:
    """Apply a load from a process of its own, pinned to `core`; raises `LoadFailed`."""
    command = [sys.executable, "-m", plan.module]
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    done = subprocess.run(
        command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=False, env=environment(), preexec_fn=pin
    )
    if done.returncode:
        raise LoadFailed(f"{plan.traffic}: {done.stderr.strip()[-500:]}")
    result = Result(**json.loads(done.stdout))
    if result.wrong or not result.answers:
        raise LoadFailed(f"{plan.traffic}: {result.wrong} wrong answers of {result.total}, such as {result.sample!r}")
    return result


class _Line:
    """One connection: what it waits for, and since when."""

    __slots__ = ("begun", "buffer", "expected", "sock", "whole")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.whole = 0
        self.begun = 0.0
        self.expected = b""

    def send(self, request: Request) -> None:
        self.expected = request.expected
        self.begun = time.perf_counter()
        self.sock.sendall(request.content)

    def receive(self) -> bytes | None:
        """Return the answer once it is whole."""
        part = self.sock.recv(65_536)
        if not part:
            raise LoadFailed("the server closed a connection")
        self.buffer += part
        if not self.whole:
            head = self.buffer.find(_HEAD_END)
            if head < 0:
                return None
            lower = self.buffer[:head].lower()
            start = lower.find(_LENGTH) + len(_LENGTH)
            self.whole = head + len(_HEAD_END) + int(lower[start:].split(b"\r\n", 1)[0])
        if len(self.buffer) < self.whole:
            return None
        answer, self.buffer, self.whole = self.buffer, b"", 0
        return answer


def run(plan: Plan) -> Result:
    """Apply a load from this process."""
    next_request: Callable[[int], Request] = TRAFFIC[plan.traffic](**plan.values)
    lines = [_Line(plan.port) for _ in range(plan.connections)]
    poll = select.epoll()
    by_file = {}
    for slot, line in enumerate(lines):
        by_file[line.sock.fileno()] = (slot, line)
        poll.register(line.sock.fileno(), select.EPOLLIN)
    for slot, line in enumerate(lines):
        line.send(next_request(slot))
    latencies: list[float] = []
    total, wrong, sample = 0, 0, b""
    begin = time.perf_counter() + plan.warm_up_s
    end = begin + plan.seconds
    now = cpu = 0.0
    while now < end and len(latencies) < plan.answers_max:
        ready = poll.poll(_STALLED_S)
        if not ready:
            raise LoadFailed(f"no answer for {_STALLED_S:.0f} s")
        for file, _ in ready:
            slot, line = by_file[file]
            answer = line.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            total += 1
            if line.expected not in answer:
                wrong, sample = wrong + 1, answer
            if now >= begin:
                cpu = cpu or time.process_time()
                latencies.append(now - line.begun)
            line.send(next_request(slot))
    spent = time.process_time() - cpu
    return result_of(latencies, now - begin, spent, total, wrong, sample)


def result_of(latencies: list[float], seconds: float, spent: float, total: int, wrong: int, sample: bytes) -> Result:
    """Return what latencies in seconds come to; raises `LoadFailed` where there are none."""
    if not latencies:
        raise LoadFailed("no answer came in time")
    latencies.sort()
    return Result(
        rps=len(latencies) / seconds,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[len(latencies) * 99 // 100] * 1000,
        answers=len(latencies),
        total=total,
        wrong=wrong,
        generator_load=spent / seconds,
        sample=sample[-200:].decode("utf-8", "replace"),
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(asdict(run(Plan(**json.load(sys.stdin))))))
    except (OSError, LoadFailed) as error:
        sys.exit(f"{type(error).__name__}: {error}")
