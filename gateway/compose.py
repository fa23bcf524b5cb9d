"""Puts a gateway together: the one place that knows every class, starts everything in order and stops it in reverse."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from config.keys import Keys, open_keys
from config.problems import ConfigWrong, Problem, Where
from config.settings import Settings
from core import dispatch
from core.advance import TurnRules
from core.clock import Clock
from core.store import actions as action_rows
from core.store import pauses
from core.store.blobs import Blobs
from core.store.sqlite import open_store
from core.turn import Turns
from dialogs.actions import ActionRunner, load_actions
from dialogs.engine import Engine
from dialogs.loader import load_project
from dialogs.model import Project
from gateway import backfill, health, logs, long_messages, replay, smpp, telegram_polling
from gateway.actions import Actions
from gateway.backend import HttpBackend
from gateway.configured import make_channels
from gateway.counters import Counters
from gateway.demo.operator import admit_customers, connect_numbers, start_demo
from gateway.desk.demo import ensure_demo_accounts
from gateway.door import Door, most_connections
from gateway.hints import Hints
from gateway.loops import keep_running
from gateway.mail import imap as mail_imap
from gateway.mail import reading as mail_reading
from gateway.mail import server as mail_server
from gateway.media import job as media_job
from gateway.media import sweep
from gateway.media.contents import Contents
from gateway.receive import take_in
from gateway.runtime import ConfiguredChannel, Gateway
from gateway.web import WEBHOOKS, make_app
from gateway.workers import Workers

LIBRARY = Path(__file__).parents[1] / "dialogs" / "library"
DRAIN_S = 15.0  # for requests; with twice the next one it stays below the 30 s that a supervisor waits before it kills
DRAIN_OUT_S = 7.0  # for actions, then for sends
KEEP_ALIVE_S = 30.0
GC_THRESHOLDS = (50_000, 20, 50)  # turns leave few cycles behind; looking for them at every 700 objects costs a tenth of each
APOLOGY = {
    "en": "Sorry, something went wrong on our side. Please try again.",
    "fr": "Desole, une erreur est survenue de notre cote. Veuillez reessayer.",
    "sw": "Samahani, kuna hitilafu upande wetu. Tafadhali jaribu tena.",
}
HANDED_OVER = {
    "en": "Sorry, something went wrong on our side. A colleague will get back to you.",
    "fr": "Desole, une erreur est survenue de notre cote. Un collegue va vous repondre.",
    "sw": "Samahani, kuna hitilafu upande wetu. Mhudumu wetu atawasiliana nawe.",
}


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tests and benches shorten. Times in ms."""

    unknown_wait_ms: int = 120_000
    connections: int | None = None
    clock: Clock = field(default_factory=Clock)


def project_folder(settings: Settings) -> Path:
    """Return the folder with the dialogs."""
    return LIBRARY / "telecom" if settings.dialogs.project == "telecom" else Path(settings.dialogs.project)


def load_dialogs(settings: Settings) -> Project:
    """Return the dialogs in the operator's languages, its default one first. Raises `ProjectWrong`, and `ConfigWrong` for others."""
    project = load_project(project_folder(settings))
    offered = sorted(settings.operator.languages, key=lambda language: language != settings.operator.default_language)
    missing = [language for language in offered if language not in project.languages]
    if missing:
        text = f"the dialogs have no texts in {', '.join(missing)}, only in {', '.join(project.languages)}"
        raise ConfigWrong([Problem(Where() / "operator" / "languages", text)])
    return replace(project, languages=tuple(offered))


async def serve(settings: Settings, data: Path, *, ready: Callable[[Gateway], None]) -> None:
    """Run a gateway until the process is told to stop. Raises `ConfigWrong`, `StoreRefused`, `KeyRefused`, `ProjectWrong` and OSError."""
    logs.configure()
    os.umask(0o077)  # whatever file is made from here on, nobody else on the machine may read it
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.unheard)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_once, stop)
    async with AsyncExitStack() as stack:
        gateway = await start(settings, data, stack)
        gc.collect()
        gc.freeze()  # what a gateway is made of lives as long as it does
        gc.set_threshold(*GC_THRESHOLDS)
        ready(gateway)
        await stop.wait()


def _stop_once(stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(0)  # asked twice: everything that stopping does is a courtesy
    stop.set()


async def start(settings: Settings, data: Path, stack: AsyncExitStack, tuning: Tuning | None = None) -> Gateway:
    """Start a gateway; leaving `stack` stops it in reverse order."""
    tuning = tuning or Tuning()
    listener = socket.create_server((settings.server.host, settings.server.port), backlog=1024, reuse_port=False)
    stack.callback(listener.close)
    url = settings.server.origin(listener.getsockname()[1])
    keys = open_keys(data)
    store = open_store(settings.store.path(data))
    stack.callback(store.close)
    clock = tuning.clock
    demo = await start_demo(settings, data, clock, stack) if settings.mode == "demo" else None
    simulated: dict[str, Any] = {"simulator": demo.twilio_url, "relay_port": demo.exchanger.port} if demo else {}
    channels = make_channels(settings, os.environ, keys, url, **simulated)
    if demo:
        connect_numbers(demo, channels.values())
    for configured in channels.values():
        if hasattr(configured.adapter, "close"):
            stack.push_async_callback(configured.adapter.close)
    gateway = Gateway(
        settings=settings,
        data=data,
        url=url,
        keys=keys,
        store=store,
        blobs=Blobs(data / "contents"),
        clock=clock,
        channels=channels,
        turns=_turns(settings, keys, channels, lease := clock.new_id()),
        hints=Hints(),
        counters=Counters(),
        lease=lease,
        demo=demo,
    )
    gateway.contents = Contents(gateway)
    await _take_over(gateway)
    backend = HttpBackend(demo.bss_url if demo and settings.backend.url == "demo" else settings.backend.url)
    stack.push_async_callback(backend.close)
    runner = ActionRunner(load_actions(project_folder(settings)), backend, currency=settings.operator.currency)
    stack.callback(runner.close)
    await _start_loops(gateway, runner, stack, tuning)
    await media_job.start(gateway, stack)
    sweep.start(gateway, stack)
    most = tuning.connections or most_connections()
    await _start_web(make_app(gateway), listener, gateway.counters, most, stack)
    if settings.server.health_port:
        health_listener = socket.create_server((settings.server.host, settings.server.health_port))
        await _start_web(health.make_app(gateway), health_listener, gateway.counters, most, stack)
    smpp.start(gateway, stack)
    await mail_reading.start(gateway, stack)
    await mail_server.start(gateway, stack)
    mail_imap.start(gateway, stack)
    telegram_polling.start(gateway, stack)
    long_messages.start(gateway, stack, take_in)
    return gateway


def _turns(settings: Settings, keys: Keys, channels: dict[str, ConfiguredChannel], lease: str) -> Turns:
    rules = TurnRules(
        country=settings.operator.country,
        operator=settings.operator.name,
        default_language=settings.operator.default_language,
        queue=settings.desk.default_queue,
        queues=frozenset(settings.desk.queues),
        close_after_ms=settings.interaction.close_after_s * 1000,
        code_key=keys.derive("one-time codes"),
        codes_a_day=settings.codes.per_day,
        lease=lease,
        apology=APOLOGY,
        handed_over=HANDED_OVER,
        languages=settings.operator.languages,
    )
    return Turns(Engine(load_dialogs(settings)), {name: configured.channel for name, configured in channels.items()}, rules)


async def _take_over(gateway: Gateway) -> None:
    """Free what an earlier life of this process held: it alone has the store open."""
    now = gateway.clock.now_ms()
    await gateway.store.write(lambda tx: dispatch.take_over(tx, gateway.core_channels(), gateway.lease, now))
    await gateway.store.write(pauses.clear)  # a pause belongs to the process that saw the failures
    await gateway.store.write(lambda tx: action_rows.abandon(tx, gateway.lease, now))
    if gateway.settings.mode == "demo":
        await gateway.store.write(lambda tx: admit_customers(tx, now))
        await ensure_demo_accounts(gateway.store, gateway.keys, gateway.clock)


async def _start_loops(gateway: Gateway, runner: ActionRunner, stack: AsyncExitStack, tuning: Tuning) -> None:
    actions = Actions(gateway, runner)
    gateway.start_action = actions.start
    workers = Workers(gateway, actions.resume_due, tuning.unknown_wait_ms)
    stack.push_async_callback(workers.drain, DRAIN_OUT_S)
    stack.push_async_callback(actions.drain, DRAIN_OUT_S)
    for loop in (workers.dispatch(), workers.fire_timers(), workers.resume_actions(), replay.run(gateway)):
        keep_running(loop, stack)
    backfill.start(gateway, stack)


async def _start_web(app: web.Application, listener: socket.socket, counters: Counters, most: int, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(app, shutdown_timeout=DRAIN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    if runner.server is None:
        raise RuntimeError("the application has no server")
    if WEBHOOKS in app:
        runner.server.request_handler = app[WEBHOOKS].before(runner.server.request_handler)
    door = Door(runner.server, counters, most, KEEP_ALIVE_S)
    listening = await asyncio.get_running_loop().create_server(door, sock=listener, backlog=1024)
    stack.callback(listening.close)
    stack.callback(door.end)
