"""The load for kinds that are not called by HTTP: a mail server that hands mails over, and an SMS centre that hands messages over.

Run as a program it takes a `Plan` as JSON on standard input and prints a `Result`, like the load generator for HTTP. Must not measure
what those two do beyond being answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from itertools import count
from typing import Any

from channels import smpp_pdus
from gateway.bench.load import LoadFailed, Plan, Result, result_of
from gateway.bench.providers import author, raw_mail
from gateway.bench.traffic import msisdn

MAILS_PER_SESSION = 90  # a session may not say a command more than a hundred times
_STALLED_S = 30.0


class _Tally:
    """What was answered, and when; the time begins with it."""

    def __init__(self, plan: Plan) -> None:
        self.begin = time.perf_counter() + plan.warm_up_s
        self.end = self.begin + plan.seconds
        self.total = self.wrong = self.replies = 0
        self._latencies: list[float] = []
        self._sample = b""
        self._cpu = 0.0
        self._last = self.begin

    @property
    def over(self) -> bool:
        return self._last >= self.end

    def answered(self, begun: float, answer: bytes, *, right: bool) -> None:
        self.total, self._last = self.total + 1, time.perf_counter()
        if not right:
            self.wrong, self._sample = self.wrong + 1, answer
        if self._last >= self.begin:
            self._cpu = self._cpu or time.process_time()
            self._latencies.append(self._last - begun)

    def replied(self) -> None:
        """Count a message that came from the gateway meanwhile."""
        self.replies += time.perf_counter() >= self.begin

    def result(self) -> Result:
        spent = time.process_time() - self._cpu
        made = result_of(self._latencies, self._last - self.begin, spent, self.total, self.wrong, self._sample)
        return replace(made, replies=self.replies)


async def smtp(plan: Plan, *, to: str, people: int, texts: list[str]) -> Result:
    """Hand mails over, one after the other on each connection, by `people` customers in turn."""
    tally, numbers = _Tally(plan), count(1)

    async def session() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", plan.port)
        try:
            await _answer(reader)
            await _say(reader, writer, "EHLO relay.example\r\n")
            for _ in range(MAILS_PER_SESSION):
                if tally.over:
                    return
                number = next(numbers)
                by = msisdn(number % people)
                begun = time.perf_counter()
                for line in (f"MAIL FROM:<{author(by)}>\r\n", f"RCPT TO:<{to}>\r\n", "DATA\r\n"):
                    await _say(reader, writer, line)
                said = raw_mail(to, str(number), by, texts[number // people % len(texts)])
                answer = await _say(reader, writer, f"{said}.\r\n")
                tally.answered(begun, answer, right=answer.startswith(b"250 "))
        finally:
            writer.close()

    async def sessions() -> None:
        while not tally.over:
            await session()

    await asyncio.gather(*(sessions() for _ in range(plan.connections)))
    return tally.result()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str) -> bytes:
    writer.write(line.encode())
    return await _answer(reader)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Return the last line of an answer."""
    async with asyncio.timeout(_STALLED_S):
        while True:
            line = await reader.readline()
            if not line:
                raise LoadFailed("the server closed a connection")
            if line[3:4] != b"-":
                return line


async def smpp(plan: Plan, *, to: str, people: int, texts: list[str]) -> Result:
    """Be the centre that the gateway binds to, with as many messages under way as there are connections; take what it submits."""
    done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            done.set_result(await _centre(plan, reader, writer, lambda number: _message(number, to, people, texts)))
        except (OSError, asyncio.IncompleteReadError, TimeoutError, LoadFailed) as error:
            done.set_exception(LoadFailed(f"the bind ended: {type(error).__name__}"))
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", plan.port)
    try:
        async with asyncio.timeout(_STALLED_S + plan.warm_up_s + plan.seconds):
            return await done
    finally:
        server.close()


async def _centre(
    plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: Callable[[int], Mapping[str, Any]]
) -> Result:
    begun: dict[int, float] = {}
    numbers = count(1)
    tally = _Tally(plan)

    def deliver() -> None:
        number = next(numbers)
        begun[number] = time.perf_counter()
        writer.write(smpp_pdus.write("deliver_sm", number, **message(number)))

    while not tally.over:
        async with asyncio.timeout(_STALLED_S):
            head = await reader.readexactly(4)
            pdu = smpp_pdus.read(head + await reader.readexactly(int.from_bytes(head) - 4))
        if pdu.command == "deliver_sm_resp":
            tally.answered(begun.pop(pdu.sequence), f"status {pdu.status:#x}".encode(), right=pdu.status == smpp_pdus.OK)
            deliver()
        elif pdu.command == "submit_sm":
            tally.replied()
            writer.write(smpp_pdus.write("submit_sm_resp", pdu.sequence, message_id=f"c{tally.replies}-{pdu.sequence}"))
        elif not pdu.answers:
            writer.write(smpp_pdus.write(f"{pdu.command}_resp", pdu.sequence))
            if pdu.command == "bind_transceiver":
                tally = _Tally(plan)  # binding is not part of it
                for _ in range(plan.connections):
                    deliver()
    return tally.result()


def _message(number: int, to: str, people: int, texts: list[str]) -> Mapping[str, Any]:
    return {
        "source_addr": msisdn(number % people)[1:],
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "destination_addr": to,
        "dest_addr_ton": 3,
        "dest_addr_npi": 0,
        "data_coding": 0,
        "short_message": texts[number // people % len(texts)].encode("ascii"),
    }


WIRES: Mapping[str, Callable[..., Awaitable[Result]]] = {"smtp": smtp, "smpp": smpp}


async def _run(plan: Plan) -> Result:
    return await WIRES[plan.traffic](plan, **plan.values)


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(asdict(asyncio.run(_run(Plan(**json.load(sys.stdin)))))))
    except (OSError, LoadFailed) as error:
        sys.exit(f"{type(error).__name__}: {error}")
