"""Takes mails, and requests that hold them, apart in child processes, so that none can hold up or bring down the gateway.

A child has two seconds of processor time for a mail and a limit of memory; one that goes over either is killed, the mail is answered
as unreadable, and the next mail gets a new child. Must not understand mail itself; that is `channels.mail` and the kinds.
"""

from __future__ import annotations

import asyncio
import io
import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from channels.mail.model import Mail
from core.model.inbound import InboundEvent, RawRequest, UnreadableRequest
from gateway import mail_child
from gateway.mail_child import LENGTH, Job, Refused

WALL_S = 10.0  # for a child that waits rather than works
_MAILS_PER_CHILD = 1_000
ANSWER_BYTES_MAX = 128 * 1024 * 1024
_VALUES = frozenset({"core.model.inbound", "core.model.address", "core.model.outbound", "channels.mail.model", mail_child.__name__})
_TIMES = frozenset({"datetime", "timezone", "timedelta"})
_ROOT = str(Path(__file__).resolve().parent.parent)  # where a child finds our packages


class UnreadableMail(Exception):
    """A mail could not be taken apart within the limits; its text says nothing of the content.

    `certain` says that the mail itself was the cause, so that another try is of no use.
    """

    def __init__(self, text: str, *, certain: bool = True) -> None:
        super().__init__(text)
        self.certain = certain


class MailParsers:
    """A small pool of children; `async with` ends them."""

    def __init__(self, size: int = 1) -> None:
        self._free: asyncio.LifoQueue[_Child | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._free.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while not self._free.empty():
            child = self._free.get_nowait()
            if child:
                await child.end()

    async def parse_in_child(self, raw: bytes) -> Mail:
        """Return what a raw mail says; raises `UnreadableMail` where a child went over its limits."""
        answer: Mail = await self._done(Job("", RawRequest("", "", {}, raw, 0), ""))
        return answer

    async def events_in_child(self, kind: str, request: RawRequest, region: str) -> Sequence[InboundEvent]:
        """Return the events of a request to a channel of a kind; raises `UnreadableRequest` as its parser does, and `UnreadableMail`."""
        answer = await self._done(Job(kind, request, region))
        if isinstance(answer, Refused):
            raise UnreadableRequest(answer.code, answer.detail)
        events: Sequence[InboundEvent] = answer
        return events

    async def _done(self, job: Job) -> Any:
        child = await self._free.get()
        try:
            child = child or await _Child.start()
            answer = await child.do(job)
        except BaseException:
            if child:
                await child.end()
            self._free.put_nowait(None)
            raise
        if child.served >= _MAILS_PER_CHILD:  # the limit of memory is for the child's whole life
            await child.end()
            child = None
        self._free.put_nowait(child)
        return answer


def read_answer(content: bytes) -> Any:
    """Return what a child has answered; raises `UnreadableMail` for anything but values of ours: a mail may have taken the child over."""
    try:
        return _Answer(io.BytesIO(content)).load()
    except Exception as error:
        raise UnreadableMail("an answer of no mail") from error


class _Answer(pickle.Unpickler):
    """Makes the values that describe mails, and nothing else that bytes could name."""

    def find_class(self, module: str, name: str) -> Any:
        known = name in _TIMES if module == "datetime" else module in _VALUES and "." not in name
        found = super().find_class(module, name) if known else None
        if not isinstance(found, type) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} describes no mail")
        return found


class _Child:
    """One process that reads jobs from its standard input, one after the other, and writes what they come to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.served = 0

    @classmethod
    async def start(cls) -> Self:
        pipe = asyncio.subprocess.PIPE
        # Not as the main module: what it pickles has to be known here by the same name.
        serve = f"from {mail_child.__name__} import serve; serve()"
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", serve, stdin=pipe, stdout=pipe, cwd=_ROOT, env={})
        return cls(process)

    async def do(self, job: Job) -> Any:
        """Return what a job came to; raises `UnreadableMail`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:  # never: both are asked for above
            raise UnreadableMail("no pipe to the child", certain=False)
        content = pickle.dumps(job)
        try:
            async with asyncio.timeout(WALL_S):
                stdin.write(LENGTH.pack(len(content)) + content)
                await stdin.drain()
                size = LENGTH.unpack(await stdout.readexactly(LENGTH.size))[0]
                if size > ANSWER_BYTES_MAX:
                    raise UnreadableMail("an answer of no mail")
                answer = await stdout.readexactly(size)
        except TimeoutError:
            raise UnreadableMail("over the limit of time") from None
        except (ConnectionError, asyncio.IncompleteReadError):
            raise UnreadableMail("over the limits of time or memory", certain=await self._ended_by(signal.SIGPROF)) from None
        self.served += 1
        done = read_answer(answer)
        if done is None:
            raise UnreadableMail("over the limit of memory")
        return done

    async def _ended_by(self, cause: signal.Signals) -> bool:
        """Tell whether the process ended by this signal, once it has ended."""
        try:
            async with asyncio.timeout(WALL_S):
                return await self._process.wait() == -cause
        except TimeoutError:
            return False

    async def end(self) -> None:
        """End the process and wait until it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()
        await self._process.wait()
