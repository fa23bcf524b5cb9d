"""The kinds of channel besides the two with budgets of their own: a durable turn of each, in relation to the bare handler.

The providers are away while this is measured: answers that go by API are queued, and their sending is not part of the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from core.store.sqlite import open_store
from gateway.bench.load import LoadFailed
from gateway.bench.paths import SAID, Bench, line_of, ratio_to
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
    "email_postmark": ("support@bench.example", "basic", {"basic": PAIR, "smtp_host": '"127.0.0.1"', "smtp_tls": '"none"'}),
}
NO_API = {"http_generic", "email_postmark"}
EXPECTED = {"voice_twilio": "<Say"}
RECORDED = {"email_postmark": "kept_request"}
READ = "kept_request where state = 'read'"


def config(kind: str) -> str:
    """Return the configuration of a gateway with one channel of a kind."""
    address, _, values = TABLES[kind]
    values = values if kind in NO_API or kind == "voice_twilio" else {**values, "api_base": f'"{AWAY}"'}
    lines = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join([HEAD, "[channels.one]", f'kind = "{kind}"', f'address = "{address}"', *lines, ""])


def measure(kind: str, bench: Bench) -> Iterator[Measured]:
    """Measure the turns of one kind."""
    (bench.folder / "basic").write_text(BASIC, encoding="utf-8")
    (bench.folder / "bot").write_text(f"123456789:{'A' * 35}", encoding="utf-8")
    bench.known(kind)
    table = RECORDED.get(kind, "inbound")
    before = _count(bench, kind, table)
    with bench.gateway(kind, config(kind)) as running:
        one = bench.channel(kind, "one")
        path = urlsplit(one.webhook_url).path
        shown = getattr(one.settings, TABLES[kind][1], "")
        values = {
            "kind": kind,
            "path": path,
            "url": f"http://127.0.0.1:{running.port}{path}",
            "secret": shown if isinstance(shown, str) else shown[0],
            "to": TABLES[kind][0],
            "account": getattr(one.settings, "account_sid", getattr(one.settings, "api_key", "")),
        }
        load = bench.apply(running, "posts", values | {"people": bench.people, "texts": SAID, "expected": EXPECTED.get(kind, "200 OK")})
    recorded = _count(bench, kind, table) - before
    if recorded < load.result.total:
        raise LoadFailed(f"{kind}: {load.result.total} requests were answered and {recorded} recorded")
    ratio = ratio_to(bench, "bare", load)
    if kind == "voice_twilio":
        p99_ms = load.result.p99_ms
        yield line_of("turn, voice_twilio", load, ratio=ratio, budget=f"p99 < {VOICE_P99_MS} ms", met=p99_ms < VOICE_P99_MS)
    else:
        yield line_of("mail kept, email_postmark" if kind == "email_postmark" else f"turn, {kind}", load, ratio=ratio)
    if kind == "email_postmark":
        yield Measured("mail read meanwhile, email_postmark", rps=_count(bench, kind, READ) / (bench.seconds + 1))


def _count(bench: Bench, name: str, table: str) -> int:
    store = open_store(bench.data(name) / "parley.db", read_only=True)
    try:
        row = store.read_sync(lambda tx: tx.one(f"select count(*) from {table}"))  # noqa: S608 - our own tables
    finally:
        store.close()
    return int(row[0]) if row else 0


KINDS: Mapping[str, Callable[[Bench], Iterator[Measured]]] = {kind: partial(measure, kind) for kind in TABLES}
