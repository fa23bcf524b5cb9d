"""The settings of an installation, as frozen values: what may be configured, its defaults and its limits.

The texts here are the reference in docs/settings.md, which is generated from them. What belongs to one kind of channel is
described beside its adapter; here a channel is a table that waits to be read. Must not read files or the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from config.problems import Problem, Where
from config.typed import doc

LANGUAGE = r"[a-z]{2,3}(-[A-Z]{2})?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the gateway listens, and what it believes of those who call."""

    host: str = field(default="127.0.0.1", metadata=doc("Address to listen on; 0.0.0.0 for every network of the machine."))
    port: int = field(default=8080, metadata=doc("Port for customers, providers and agents; 0 takes a free one.", least=0, most=65535))
    public_url: str = field(
        default="",
        metadata=doc(
            "The address under which providers and browsers reach the gateway, without a path. Signatures are checked against it. "
            "Empty: http://127.0.0.1 and the port.",
            pattern=r"(https?://[^/\s?#@]+)?",
        ),
    )
    health_port: int = field(
        default=0,
        metadata=doc("Port of /healthz, /readyz and /metrics, apart from the public one; 0 turns them off.", least=0, most=65535),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=doc("Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8; nobody else's is."),
    )
    body_max_bytes: int = field(
        default=262_144,
        metadata=doc("A request with a longer body is refused.", least=1_024, most=67_108_864),
    )

    def __post_init__(self) -> None:
        for network in self.trusted_proxies:
            ip_network(network)

    def origin(self, port: int) -> str:
        """Return the public URL; `port` is the one really listened on."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104 - told apart, not bound to
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the record is kept."""

    url: str = field(
        default="sqlite",
        metadata=doc(
            "sqlite keeps one file, parley.db, in the data folder; sqlite:/path/to/file puts it elsewhere, on a local disk.",
            pattern=r"sqlite(:/.+)?",
        ),
    )

    def path(self, data: Path) -> Path:
        """Return the file of the SQLite store of an installation with this data folder."""
        _, _, path = self.url.partition(":")
        return Path(path) if path else data / "parley.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The telecom operator that speaks through this gateway."""

    name: str = field(metadata=doc("The name that customers read.", pattern=r".{1,60}"))
    country: str = field(metadata=doc("ISO 3166 code of the country; numbers without a country code are of it.", pattern="[A-Z]{2}"))
    currency: str = field(metadata=doc("ISO 4217 code of the currency of prices and balances.", pattern="[A-Z]{3}"))
    languages: tuple[str, ...] = field(default=("en",), metadata=doc("Languages offered, as BCP 47 tags.", pattern=LANGUAGE))
    default_language: str = field(
        default="", metadata=doc("Language for a person of whom nothing is known; empty: the first.", pattern=f"({LANGUAGE})?")
    )

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError("languages must name at least one language")
        if not self.default_language:
            object.__setattr__(self, "default_language", self.languages[0])
        if self.default_language not in self.languages:
            raise ValueError(f"default_language {self.default_language!r} is not among languages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogs:
    """What the gateway talks about by itself."""

    project: str = field(
        default="telecom",
        metadata=doc(
            "telecom for the shipped flows, or a folder with flows of your own, relative to the configuration file.", pattern=".+"
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The business systems (balance, top-up, bills, cases) that actions call."""

    url: str = field(
        default="demo",
        metadata=doc("Base address of the TM Forum APIs; demo for the built-in stand-in.", pattern=r"demo|https?://[^\s?#@]+"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """The life of a contact."""

    close_after_s: int = field(
        default=3_600,
        metadata=doc("An interaction in which nobody says anything for so many seconds is closed.", least=30, most=2_592_000),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """One-time codes, which cost money and which somebody may be paid for."""

    per_day: int = field(
        default=5_000,
        metadata=doc("So many codes are sent to everybody together in 24 hours; beyond that none is, and supervisors are told.", least=0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The agents' desk."""

    queues: tuple[str, ...] = field(
        default=("general",), metadata=doc("Names of the queues that hand-overs wait in.", pattern="[a-z0-9-]{1,40}")
    )
    default_queue: str = field(
        default="", metadata=doc("Queue of a hand-over that names none; empty: the first.", pattern="[a-z0-9-]{0,40}")
    )
    session_idle_s: int = field(default=1_800, metadata=doc("An agent idle for so long must sign in again.", least=60, most=86_400))
    session_absolute_s: int = field(
        default=43_200, metadata=doc("So long after signing in an agent must do so again.", least=300, most=604_800)
    )

    def __post_init__(self) -> None:
        if not self.queues:
            raise ValueError("queues must name at least one queue")
        if not self.default_queue:
            object.__setattr__(self, "default_queue", self.queues[0])
        if self.default_queue not in self.queues:
            raise ValueError(f"default_queue {self.default_queue!r} is not among queues")
        if self.session_absolute_s < self.session_idle_s:
            raise ValueError("session_absolute_s must not be shorter than session_idle_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """Attachments: how large they may be, how much of them is kept, and from where they come."""

    max_bytes: int = field(
        default=20_971_520,
        metadata=doc("A larger attachment is not kept.", least=1_024, most=268_435_456),
    )
    quota_bytes: int = field(
        default=21_474_836_480,
        metadata=doc("So much is kept of all attachments together; what comes after that waits for a day and is then refused.", least=0),
    )
    free_min_bytes: int = field(
        default=1_073_741_824,
        metadata=doc("While less than this is free on the disk with the data folder, no attachment is kept.", least=0),
    )
    refused_types: tuple[str, ...] = field(
        default=(),
        metadata=doc(
            "Types that are not kept at all, as the content itself shows them, such as application/zip or video/*.",
            pattern=r"[a-z]+/([a-z0-9.+-]+|\*)",
        ),
    )
    hosts: tuple[str, ...] = field(
        default=(),
        metadata=doc(
            "Names of further hosts from which attachments may be fetched, by https and without credentials, such as a provider's new "
            "content network.",
            pattern=r"[a-z0-9-]+(\.[a-z0-9-]+)+",
        ),
    )
    scanner: str = field(
        default="",
        metadata=doc(
            "Where a scanner for malicious software listens that speaks clamd's protocol, such as tcp://127.0.0.1:3310 or "
            "unix:///run/clamav/clamd.ctl. What it has not found clean cannot be opened. Empty: nothing is scanned.",
            pattern=r"(tcp://[^/\s?#@]+:[0-9]{1,5}|unix:///[^\s?#]+)?",
        ),
    )
    scan_timeout_s: float = field(default=30.0, metadata=doc("Seconds that the scanner may take for one attachment.", least=1, most=120))


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: its id, its kind, our address on it, and the table with the settings of that kind.

    `rates` are `sends_per_s` and `sends_per_recipient_s`, where they are given.
    """

    id: str
    kind: str
    address: str
    table: Mapping[str, Any]
    rates: Mapping[str, float] = field(default_factory=dict)
    where: Where = field(default_factory=Where, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is configured."""

    mode: Literal["demo", "production"] = field(
        default="production",
        metadata=doc("demo has a simulator on the front page and made-up secrets; production refuses both."),
    )
    server: Server = field(default_factory=Server)
    store: StoreSettings = field(default_factory=StoreSettings)
    operator: Operator
    dialogs: Dialogs = field(default_factory=Dialogs)
    backend: Backend = field(default_factory=Backend)
    interaction: Interaction = field(default_factory=Interaction)
    codes: Codes = field(default_factory=Codes)
    desk: Desk = field(default_factory=Desk)
    media: MediaSettings = field(default_factory=MediaSettings)
    channels: Mapping[str, Channel] = field(
        default_factory=dict,
        metadata=doc("A table for each channel, by its id: kind, address, and the settings of the kind."),
    )


def unsafe(settings: Settings, where: Where) -> list[Problem]:
    """Return what production refuses of settings that are fine for a demo."""
    problems = []
    if not settings.server.public_url.startswith("https://"):
        problems.append(Problem(where / "server" / "public_url", "production needs the https:// address that providers call"))
    if settings.backend.url == "demo":
        problems.append(Problem(where / "backend" / "url", "production needs the address of real business systems, not the demo stand-in"))
    for channel in settings.channels.values():
        problems += [
            Problem(channel.where / key, "production has no simulator: give the provider's address")
            for key, value in channel.table.items()
            if value == "simulator"
        ]
    if not settings.channels:
        problems.append(Problem(where / "channels", "production needs at least one channel"))
    return problems
