"""The process in which `mail_parsing` has requests taken apart: reads them from standard input, writes what they mean to standard output.

Limits itself before it reads the first byte of a mail, and imports only what the kinds need that it is asked for. Must not do anything
else; it has no environment and needs no network.
"""

from __future__ import annotations

import pickle
import resource
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.mail.parse import parse
from channels.registry import load
from core.model.inbound import RawRequest, UnreadableRequest

CPU_S = 2
MEMORY_BYTES = 256 * 1024 * 1024
LENGTH = struct.Struct(">I")  # before each job and each answer


@dataclass(frozen=True, slots=True)
class Refused:
    """The kind's own parser cannot read a request; its code and its text."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """A request for the parser of `kind`; without a kind, a raw mail that is wanted as it is understood."""

    kind: str
    request: RawRequest
    region: str


def serve() -> None:
    """Answer every job with what it came to, pickled, or None where memory was too short, until the input ends; killed at the limit."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when its children end
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while header := incoming.read(LENGTH.size):
        try:
            answer = _answer(incoming.read(LENGTH.unpack(header)[0]))
        except MemoryError:
            answer = None
        signal.setitimer(signal.ITIMER_PROF, 0)
        content = pickle.dumps(None) if answer is None else answer
        outgoing.write(LENGTH.pack(len(content)) + content)
        outgoing.flush()
        if answer is None:
            return  # the rest of the job may still be in the pipe, so there is no next one for this child


def _answer(content: bytes) -> bytes:
    job: Job = pickle.loads(content)  # noqa: S301 - written by our own parent
    work = _work(job)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    return pickle.dumps(work())


def _work(job: Job) -> Callable[[], Any]:
    """Return what is to be done under the limit of time; importing a kind is not part of that."""
    if not job.kind:
        return lambda: parse(job.request.body)
    kind = load(job.kind)

    def events() -> Any:
        try:
            return list(kind.parse(job.request, job.region))
        except UnreadableRequest as unreadable:
            return Refused(unreadable.code, str(unreadable))

    return events
