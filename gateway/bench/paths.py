"""The measured paths: which load each puts on which program, and the budget that it must keep.

Every program under measurement runs alone on its core, the load generator on the other. Must not start anything that outlives a path.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from config.keys import open_keys
from config.load import load
from core.reports import customer, interactions
from core.store import work_items
from core.store.sqlite import open_store
from gateway.bench import yardsticks
from gateway.bench.fill import fill, queue
from gateway.bench.load import Plan, Result, apply
from gateway.bench.process import Running, environment, gateway, start
from gateway.bench.report import Measured
from gateway.configured import make_channels

CONNECTIONS = 64
LONG_HISTORY = 10_000
SAID = ("menu", "7", "menu", "9")  # the menu, then one of its questions: turns that need no action
SITE = "https://site.example"
CONFIG = f"""
mode = "demo"
[operator]
name = "Bench Telecom"
country = "KE"
currency = "KES"
[channels.ussd]
kind = "ussd"
address = "*384*100#"
[channels.sms]
kind = "sms_twilio"
address = "+254711082000"
account_sid = {{ generated = true }}
auth_token = {{ generated = true }}
api_base = "http://127.0.0.1:9"
[channels.web]
kind = "webchat"
address = "bench-chat"
origins = ["{SITE}"]
keys = {{ generated = true }}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to, and the microseconds of processor time that each answer took."""

    result: Result
    cpu_us: float


@dataclass(slots=True)
class Bench:
    """One run: where its files are, how long a path is loaded, and what the yardsticks came to."""

    folder: Path
    seconds: float
    chats: int
    store_size: int
    tell: Callable[[str], None]
    server_core: int | None = None
    load_core: int | None = None
    yardsticks: dict[str, Load] = field(default_factory=dict)

    def data(self, name: str) -> Path:
        """Return the data folder of one gateway of this run."""
        return self.folder / name

    @contextmanager
    def gateway(self, name: str, content: str = CONFIG) -> Iterator[Running]:
        """Run the gateway on a data folder of this run."""
        config = self.folder / "bench.toml"
        config.write_text(content, encoding="utf-8")
        running = gateway(self.data(name), config=config, core=self.server_core)
        try:
            yield running
        finally:
            running.stop()

    @contextmanager
    def yardstick(self) -> Iterator[Running]:
        """Run the servers that the gateway is measured against."""
        running = start(["gateway.bench.yardsticks"], core=self.server_core)
        try:
            yield running
        finally:
            running.stop()

    @property
    def people(self) -> int:
        """Subscribers enough for none of them to say so much that the gateway takes them for a machine."""
        return max(2_000, int((self.seconds + 2) * 400))

    def known(self, name: str) -> None:
        """Let the subscribers be customers already, so that turns are measured and not first contacts."""
        if not self.data(name).exists():
            open_keys(self.data(name))
            fill(self.data(name) / "parley.db", 0, self.people, 10)

    def apply(self, running: Running, traffic: str, values: Mapping[str, Any]) -> Load:
        """Load a program with one kind of traffic for the time of a path."""
        return self.carry_out(running, Plan(running.port, traffic, values, CONNECTIONS, self.seconds))

    def carry_out(self, running: Running, plan: Plan) -> Load:
        """Load a program as planned, and measure what that costs it."""
        before = running.cpu_s()
        result = apply(plan, self.load_core)
        return Load(result, (running.cpu_s() - before) / result.total * 1e6)

    def channel(self, name: str, channel_id: str) -> Any:
        """Return a channel of a gateway of this run, with its settings and its webhook."""
        settings = load(self.folder / "bench.toml", {}, None)
        return make_channels(settings, {}, open_keys(self.data(name)), SITE)[channel_id]

    def ussd(self, name: str, run: str, people: int, first: int = 0, stride: int = 1) -> dict[str, Any]:
        """Return the values of USSD traffic for a gateway of this run."""
        path = urlsplit(self.channel(name, "ussd").webhook_url).path
        return {"path": path, "run": run, "people": people, "first": first, "stride": stride}


def line_of(path: str, load: Load, **more: Any) -> Measured:
    """Return the measured line of a load."""
    result = load.result
    note = "the load generator was the limit" if result.generator_load > 0.9 else ""
    return Measured(path, rps=result.rps, p50_ms=result.p50_ms, p99_ms=result.p99_ms, cpu_us=load.cpu_us, note=note, **more)


def ratio_to(bench: Bench, yardstick: str, load: Load) -> float:
    """Return requests a second in relation to those of a yardstick."""
    return load.result.rps / bench.yardsticks[yardstick].result.rps


def measure_yardsticks(bench: Bench) -> Iterator[Measured]:
    """Measure the bare handler, and the one that only runs Twilio's library; every ratio is taken to these."""
    sms: dict[str, Any] = {
        "path": "/twilio",
        "url": "http://127.0.0.1/twilio",
        "auth_token": yardsticks.AUTH_TOKEN,
        "account_sid": "AC" + "0" * 32,
    }
    sms |= {"to": "+254711082000", "run": "1", "people": bench.people, "texts": SAID, "expected": yardsticks.ANSWER}
    with bench.yardstick() as running:
        bench.yardsticks["bare"] = bench.apply(running, "bare", {"path": "/bare"})
        yield line_of("bare aiohttp handler", bench.yardsticks["bare"])
        bench.yardsticks["twilio"] = bench.apply(running, "sms", sms)
        yield line_of("Twilio's library alone", bench.yardsticks["twilio"])


def measure_ussd(bench: Bench) -> Iterator[Measured]:
    """Measure durable USSD turns on 64 connections."""
    bench.known("turns")
    with bench.gateway("turns") as running:
        load = bench.apply(running, "ussd", bench.ussd("turns", "u", bench.people))
        memory = running.memory_mb()
    slower = load.result.p99_ms / bench.yardsticks["bare"].result.p99_ms
    ratio = ratio_to(bench, "bare", load)
    yield line_of("USSD turn, durable", load, ratio=ratio, budget=">= 0.25 of the bare handler", met=ratio >= 0.25, memory_mb=memory)
    yield Measured("USSD turn, p99", p99_ms=load.result.p99_ms, ratio=slower, budget="<= 6 x the bare p99", met=slower <= 6)


def measure_sms(bench: Bench) -> Iterator[Measured]:
    """Measure durable SMS turns with Twilio's signature."""
    bench.known("turns")
    with bench.gateway("turns") as running:
        sms = bench.channel("turns", "sms")
        path = urlsplit(sms.webhook_url).path
        values = {"path": path, "url": f"http://127.0.0.1:{running.port}{path}", "auth_token": sms.settings.auth_token[0]}
        values |= {"account_sid": sms.settings.account_sid, "to": sms.channel.address.value, "run": "2", "people": bench.people}
        load = bench.apply(running, "sms", values | {"texts": SAID, "expected": "<Message"})
    ratio = ratio_to(bench, "twilio", load)
    yield line_of("SMS turn, signed, durable", load, ratio=ratio, budget=">= 0.60 of Twilio's library", met=ratio >= 0.6)


def measure_history(bench: Bench) -> Iterator[Measured]:
    """Measure turns of customers who said little, and of customers with 10,000 messages behind them."""
    people, turns = 200, 3_000
    store = bench.data("history") / "parley.db"
    open_keys(bench.data("history"))
    fill(store, 0, people, 2)
    fill(store, people, people, LONG_HISTORY)
    with bench.gateway("history") as running:
        short, long = (
            bench.carry_out(running, Plan(running.port, "ussd", bench.ussd("history", run, people, first), 8, 60.0, 0.0, turns))
            for run, first in (("s", 0), ("l", people))
        )
    ratio = short.result.rps / long.result.rps
    yield line_of("turn, short history", short)
    yield line_of("turn, 10,000 messages of history", long, ratio=ratio, budget="<= 1.1 x the cost of the first", met=ratio <= 1.1)


def measure_start(bench: Bench) -> Iterator[Measured]:
    """Measure from the start of the process to the first answer, on data that exists."""
    with bench.gateway("turns"):
        values = bench.ussd("turns", "f", 1)
    begun = perf_counter()
    with bench.gateway("turns") as running:
        apply(Plan(running.port, "ussd", values, 1, 0.0, 0.0), bench.load_core)
        taken = perf_counter() - begun
        memory = running.memory_mb()
    yield Measured("start to first answer", seconds=taken, budget="< 2 s", met=taken < 2)
    yield Measured("memory, idle", memory_mb=memory, budget="< 150 MB", met=memory < 150)


def measure_chats(bench: Bench) -> Iterator[Measured]:
    """Measure the memory that open web chats take."""
    with bench.gateway("turns") as running:
        command = [sys.executable, "-m", "gateway.bench.chats", str(running.port), "web", SITE, str(bench.chats)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()) as chats:
            said = chats.stdout.readline() if chats.stdout else ""
            memory = running.memory_mb()
            chats.communicate()
    if said.strip() != str(bench.chats):
        raise RuntimeError(f"{bench.chats} web chats could not be opened")
    budget = "< 1 GB for 10,000"
    yield Measured(f"memory, {bench.chats:,} open web chats", memory_mb=memory, budget=budget, met=memory < 1024)


def measure_store(bench: Bench) -> Iterator[Measured]:
    """Measure turns, lists and searches on a big store against a small one: all callers are known and begin a new interaction."""
    people = min(20_000, bench.store_size // 2)
    small = _on_store(bench, "small", people * 2, people)
    big = _on_store(bench, "big", bench.store_size, people)
    ratio = big.result.rps / small.result.rps
    yield line_of(f"turn, {people * 2:,} customers", small)
    budget = ">= 0.80 of the small store"
    yield line_of(
        f"turn, {bench.store_size:,} customers, {bench.store_size * 10:,} messages", big, ratio=ratio, budget=budget, met=ratio >= 0.8
    )
    store = open_store(bench.data("big") / "parley.db", read_only=True)
    try:
        number = f"+2547{bench.store_size // 2:08d}"
        for name, limit_s, unit in (
            ("desk lists", 0.2, lambda tx: (work_items.waiting(tx, 100), work_items.counts(tx))),
            ("search, customer by number", 1.0, lambda tx: customer.by_address(tx, number, 50)),
            ("search, newest interactions", 1.0, lambda tx: interactions.search(tx, interactions.Filter(limit=50))),
        ):
            begun = perf_counter()
            store.read_sync(unit)
            taken = perf_counter() - begun
            yield Measured(name, seconds=taken, budget=f"< {limit_s:g} s", met=taken < limit_s)
    finally:
        store.close()


def _on_store(bench: Bench, name: str, customers: int, people: int) -> Load:
    store = bench.data(name) / "parley.db"
    open_keys(bench.data(name))
    step = max(customers // 10, 1)
    fill(store, 0, customers, 10, progress=lambda done: bench.tell(f"{name} store: {done:,} customers") if done % step == 0 else None)
    waiting = min(1_000, customers // 100)  # for the desk; they are not among those who call
    queue(store, customers - waiting, waiting)
    with bench.gateway(name) as running:
        return bench.apply(running, "ussd", bench.ussd(name, "b", people, 0, stride=(customers - waiting) // people))


PATHS: Mapping[str, Callable[[Bench], Iterator[Measured]]] = {
    "ussd": measure_ussd,
    "sms": measure_sms,
    "history": measure_history,
    "start": measure_start,
    "chats": measure_chats,
    "store": measure_store,
}


def cores() -> tuple[int | None, int | None]:
    """Return the core for the measured program and another one for the load; None twice on a machine with a single one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)
