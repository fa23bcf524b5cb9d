"""The kinds of channel besides the two with budgets of their own: a durable turn of each, in relation to the bare handler.

The providers are away while this is measured: answers that go by API are queued, and their sending is not part of the figure.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from core.store.sqlite import open_store
from gateway.bench import certificates
from gateway.bench.load import LoadFailed, Plan
from gateway.bench.paths import SAID, Bench, Load, line_of, ratio_to
from gateway.bench.report import Measured

AWAY = "http://127.0.0.1:9"
BASIC = "bench:0123456789abcdef"
VOICE_P99_MS = 800
HEAD = """
mode = "demo"
[operator]
name = "Bench Telecom"
country = "KE"
currency = "KES"
"""
# For each kind: our address, and the other settings; where `SECRET` stands is what the provider shows.
SECRET = "{ generated = true }"  # noqa: S105 - a reference
PAIR = '{ file = "basic" }'
OTHER = "{ generated = true }"
MAILBOX = "support@bench.example"
RELAY = {"smtp_host": '"127.0.0.1"', "smtp_tls": '"none"', "smtp_port": "9"}
TABLES: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "voice_twilio": ("+254711082000", "auth_token", {"account_sid": OTHER, "auth_token": SECRET}),
    "telegram": ("bench_bot", "webhook_secret", {"bot_token": '{ file = "bot" }', "webhook_secret": SECRET}),
    "whatsapp_twilio": ("+254711082000", "auth_token", {"account_sid": OTHER, "auth_token": SECRET}),
    "sms_africastalking": ("22384", "", {"username": '"bench"', "api_key": OTHER, "sources": '["127.0.0.0/8"]'}),
    "sms_vonage": (
        "+254711082000",
        "signature_secret",
        {"api_key": '"abcd1234"', "api_secret": OTHER, "signature_secret": SECRET},
    ),
    "sms_plivo": ("+254711082000", "auth_token", {"auth_id": '{ file = "basic" }', "auth_token": SECRET}),
    "sms_infobip": ("+254711082000", "basic", {"api_key": OTHER, "basic": PAIR}),
    "sms_clickatell": ("+254711082000", "basic", {"api_key": OTHER, "basic": PAIR}),
    "http_generic": ("+254711082000", "hmac_keys", {"hmac_keys": SECRET, "send_url": f'"{AWAY}/send"', "send_format": '"json"'}),
    "email_postmark": (MAILBOX, "basic", {"basic": PAIR, **RELAY}),
    "email_sendgrid": (MAILBOX, "basic", {"basic": PAIR, **RELAY}),
    "email_mailgun": (MAILBOX, "signing_keys", {"signing_keys": SECRET, **RELAY}),
    "email_ses": (MAILBOX, "", {"topic_arns": f'["{certificates.TOPIC}"]', **RELAY}),
}
# What does not come by HTTP: our address, the settings, how many mails or messages are under way. The port is that of this run.
WIRED: Mapping[str, tuple[str, str, dict[str, str], int]] = {
    "email": (MAILBOX, "smtp", {"listen": '"smtp://127.0.0.1:{port}"', **RELAY}, 40),
    "smpp": (
        "22384",
        "smpp",
        {
            "host": '"127.0.0.1"',
            "port": "{port}",
            "system_id": '"bench"',
            "password": '{{ file = "bind" }}',
            "window": "50",
            "messages_per_s": "10000",
            "delivery_reports": "false",
            "reconnect_s": "0.05",
        },
        50,
    ),
}
NO_API = {"http_generic", "voice_twilio"}
EXPECTED = {"voice_twilio": "<Say"}
READ = "kept_request where state = 'read'"
WAITING = "kept_request where state = 'waiting'"


def config(kind: str, *, api: str = AWAY, port: int = 0) -> str:
    """Return the configuration of a gateway with one channel of a kind; `api` is where its provider is, `port` that of a wire."""
    if kind in WIRED:
        address, _, values, _ = WIRED[kind]
        values = {name: value.format(port=port) for name, value in values.items()}
    else:
        address, _, values = TABLES[kind]
        has_api = kind == "email_ses" or not (kind in NO_API or kind.startswith("email"))
        values = {**values, "api_base": f'"{api}"'} if has_api else values
    lines = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join([HEAD, "[channels.one]", f'kind = "{kind}"', f'address = "{address}"', *lines, ""])


def measure(kind: str, bench: Bench) -> Iterator[Measured]:
    """Measure the turns of one kind, or how its mails are kept and read."""
    (bench.folder / "basic").write_text(BASIC, encoding="utf-8")
    (bench.folder / "bot").write_text(f"123456789:{'A' * 35}", encoding="utf-8")
    (bench.folder / "bind").write_text("bench", encoding="utf-8")
    bench.known(kind)
    mails = kind.startswith("email")
    table = "kept_request" if mails else "inbound"
    before = _count(bench, kind, table)
    with ExitStack() as stack:
        load = _wired(kind, bench, stack) if kind in WIRED else _posted(kind, bench, stack)
        recorded = _count(bench, kind, table) - before
        if recorded < load.result.total:
            raise LoadFailed(f"{kind}: {load.result.total} requests were answered and {recorded} recorded")
        ratio = ratio_to(bench, "bare", load)
        if kind == "voice_twilio":
            p99_ms = load.result.p99_ms
            yield line_of("turn, voice_twilio", load, ratio=ratio, budget=f"p99 < {VOICE_P99_MS} ms", met=p99_ms < VOICE_P99_MS)
        else:
            yield line_of(f"mail kept, {kind}" if mails else f"turn, {kind}", load, ratio=ratio)
        if kind == "smpp":
            yield Measured("reply submitted meanwhile, smpp", rps=load.result.replies / bench.seconds)
        if mails:
            yield Measured(f"mail read meanwhile, {kind}", rps=_count(bench, kind, READ) / (bench.seconds + 1))
            yield _read_afterwards(kind, bench)


def _posted(kind: str, bench: Bench, stack: ExitStack) -> Load:
    """Load a kind that is called by HTTP; the gateway ends with `stack`."""
    key, api = "", AWAY
    if kind == "email_ses":
        key, certificate = certificates.make()
        api = stack.enter_context(certificates.served(certificate))
    running = stack.enter_context(bench.gateway(kind, config(kind, api=api)))
    one = bench.channel(kind, "one")
    path = urlsplit(one.webhook_url).path
    shown = key or getattr(one.settings, TABLES[kind][1], "")
    values: dict[str, Any] = {
        "kind": kind,
        "path": path,
        "url": f"http://127.0.0.1:{running.port}{path}",
        "secret": shown if isinstance(shown, str) else shown[0],
        "to": TABLES[kind][0],
        "account": getattr(one.settings, "account_sid", getattr(one.settings, "api_key", "")),
        "people": bench.people,
        "texts": SAID,
        "expected": EXPECTED.get(kind, "200 OK"),
    }
    return bench.apply(running, "posts", values)


def _wired(kind: str, bench: Bench, stack: ExitStack) -> Load:
    """Load a kind with a protocol of its own; the gateway ends with `stack`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = stack.enter_context(bench.gateway(kind, config(kind, port=port)))
    address, traffic, _, under_way = WIRED[kind]
    values = {"to": address, "people": bench.people, "texts": SAID}
    return bench.carry_out(running, Plan(port, traffic, values, under_way, bench.seconds, module="gateway.bench.wires"))


def _read_afterwards(kind: str, bench: Bench) -> Measured:
    """Measure how many mails a second are read while none comes, for the time of a path or until all are read."""
    path, begun, first = f"mail read afterwards, {kind}", time.perf_counter(), _count(bench, kind, READ)
    if not _count(bench, kind, WAITING):
        return Measured(path, note="none waited any more")
    while True:
        time.sleep(0.05)
        taken = time.perf_counter() - begun
        if taken >= bench.seconds or not _count(bench, kind, WAITING):
            return Measured(path, rps=(_count(bench, kind, READ) - first) / taken)


def _count(bench: Bench, name: str, table: str) -> int:
    store = open_store(bench.data(name) / "parley.db", read_only=True)
    try:
        row = store.read_sync(lambda tx: tx.one(f"select count(*) from {table}"))  # noqa: S608 - our own tables
    finally:
        store.close()
    return int(row[0]) if row else 0


KINDS: Mapping[str, Callable[[Bench], Iterator[Measured]]] = {kind: partial(measure, kind) for kind in (*TABLES, *WIRED)}
