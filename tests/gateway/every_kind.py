"""A whole gateway with a channel of any kind that is called by HTTP, configured from the settings of its conformance subject."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from channels.registry import KINDS
from core.model.inbound import RawRequest
from tests.conformance.subject import NOWHERE, Subject
from tests.gateway.running import Running, running

DEMO = (Path(__file__).parents[2] / "config" / "parley.toml").read_text("utf-8")
# These have no webhook: a socket, a line to the centre, mail servers, a terminal.
NOT_BY_HTTP = {"webchat", "smpp", "email", "console"}
BY_HTTP = [kind for kind in KINDS if kind not in NOT_BY_HTTP]


def configured(subject: Subject, folder: Path) -> Path:
    """Write the configuration of the demo operator with one more channel, `other`, and its secrets as files beside it."""
    lines = ["[channels.other]", f'kind = "{subject.kind}"', f'address = "{subject.message.sender.value}"']
    for field in dataclasses.fields(subject.settings):
        value = NOWHERE if field.name == "api_base" else getattr(subject.settings, field.name)
        if value not in {field.default, ()}:
            lines.append(f"{field.name} = {_value(field, value, folder)}")
    path = folder / "parley.toml"
    path.write_text("\n".join([DEMO, *lines]) + "\n", encoding="utf-8")
    return path


def _value(field: dataclasses.Field[Any], value: Any, folder: Path) -> str:
    if field.repr:
        return json.dumps(list(value) if isinstance(value, tuple) else value)
    secrets = value if isinstance(value, tuple) else (value,)
    references = []
    for number, secret in enumerate(secrets):
        name = f"{field.name}-{number}"
        (folder / name).write_text(secret, encoding="utf-8")
        references.append(f'{{ file = "{name}" }}')
    return f"[{', '.join(references)}]" if isinstance(value, tuple) else references[0]


@asynccontextmanager
async def gateway_with(subject: Subject, folder: Path) -> AsyncIterator[Running]:
    """Run a gateway with a channel of this kind; what its adapter would fetch from the provider to check signatures is there."""
    async with running(folder / "data", config=configured(subject, folder)) as parley:
        if subject.kind == "email_ses":
            from tests.channels.email_ses.subject import AT, CERTIFICATES

            for path, certificate in CERTIFICATES.items():
                parley.gateway.channels["other"].adapter.trust(path, certificate, AT)  # type: ignore[attr-defined]
        yield parley


def addressed(parley: Running, subject: Subject, request: RawRequest) -> RawRequest:
    """Return a request as the provider would make it to this gateway, believed."""
    return subject.authentic(replace(request, url=parley.gateway.channels["other"].webhook_url))


async def call(parley: Running, request: RawRequest, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Make a request to the channel; returns status and body of the answer."""
    async with parley.http.request(
        request.method, request.url, data=request.body, headers={**request.headers, **(headers or {})}, allow_redirects=False
    ) as answer:
        return answer.status, await answer.read()
