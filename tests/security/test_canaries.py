"""What people say, who they are and what is secret is in no log, metric, command line or error, whatever goes wrong; files are private."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from config.keys import open_keys
from config.load import load
from gateway.configured import make_channels
from gateway.logs import JsonLines
from tests.gateway.running import ANNA, Running
from tests.house.gateway_process import command, gateway

WORD = "canary7f3a"
PHONE = "+254799887766"
FORM = "application/x-www-form-urlencoded"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def webhooks(data: Path, url: str) -> dict[str, str]:
    """Return the webhooks of a gateway by channel, as its own command lists them."""
    listed = command("channels", "--json", "--data", str(data), folder=data.parent)
    assert listed.returncode == 0, listed.stderr
    document = json.loads(listed.stdout)
    found = document["channels"] if isinstance(document, dict) else document
    return {channel["id"]: re.sub(r"^https?://[^/]+", url, channel["webhook_url"]) for channel in found if channel["webhook_url"]}


async def provoke(url: str, hooks: dict[str, str]) -> None:
    """Send the canaries through every channel, well-formed and not, and into every error that a stranger can cause."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:

        async def post(to: str, data: Any, **more: Any) -> None:
            async with http.post(to, data=data, **more) as answer:
                await answer.read()
                assert answer.status < 500

        form = {"sessionId": WORD, "serviceCode": "*384*100#", "phoneNumber": PHONE, "networkCode": WORD}
        for text in ("", WORD, f"{WORD}*1", f"{WORD}*1*9"):
            await post(hooks["ussd"], form | {"text": text})
        await post(hooks["ussd"], form | {"phoneNumber": WORD, "text": ""})
        await post(hooks["ussd"], {"sessionId": WORD, "status": WORD})
        await post(hooks["ussd"], f"{WORD}=%ff".encode(), headers={"Content-Type": FORM})
        await post(hooks["ussd"], WORD * 100_000)
        headers = {"X-Twilio-Signature": WORD, "Content-Type": FORM, "X-Forwarded-For": WORD, "User-Agent": WORD}
        await post(hooks["sms"], urlencode({"From": PHONE, "Body": WORD}), headers=headers)
        await post(hooks["sms"], json.dumps({"Body": WORD}), headers={**headers, "Content-Type": "application/json"})
        for path in (f"/c/ussd/{WORD}", f"/c/{WORD}/x", f"/{WORD}", f"/static/{WORD}", f"/desk?token={WORD}", f"/webchat/{WORD}/ticket"):
            await post(url + path, WORD, headers={"Cookie": f"parley_desk={WORD}", "Origin": f"https://{WORD}.example"})
        await post(f"{url}/desk/api/login", json.dumps({"login": WORD, "password": WORD}), headers={"Content-Type": "application/json"})
        origin = {"Origin": url}
        async with http.post(f"{url}/webchat/web/ticket", json={"visitor": None}, headers=origin) as answer:
            ticket = (await answer.json())["ticket"]
        async with http.ws_connect(f"{url}/webchat/web/socket", headers=origin) as window:
            await window.send_json({"type": "hello", "ticket": ticket, "after": 0})
            for frame in (
                {"type": "message", "id": "m1", "text": WORD},
                {"type": "message", "id": WORD * 99, "text": PHONE},
                {"type": "choice", "id": "m2", "token": f"{WORD}:\u00b2", "label": WORD},
                {"type": WORD},
            ):
                await window.send_json(frame)
            await window.send_str(WORD)
            await window.send_json({"type": "message", "id": "last", "text": "menu"})
            async with asyncio.timeout(10):
                while (await window.receive_json()).get("id") != "last":
                    continue
        host, port = url.removeprefix("http://").split(":")
        no_http = (f"{WORD} /{WORD} HTTP/9.9\r\n\r\n", f"GET / HTTP/1.1\r\n{WORD}\r\n\r\n", f"POST /{WORD} HTTP/1.1\r\n{WORD}: \0\r\n\r\n")
        for garbage in no_http:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(garbage.encode())
            assert WORD.encode() not in await asyncio.wait_for(reader.read(), 10)
            writer.close()


def test_nothing_of_what_people_say_or_are_leaves_by_the_back_doors(tmp_path: Path) -> None:
    data, health = tmp_path / "data", free_port()
    config = tmp_path / "parley.toml"
    shipped = (Path(__file__).parents[2] / "config" / "parley.toml").read_text(encoding="utf-8")
    config.write_text(shipped.replace("[dialogs]", f"[server]\nhealth_port = {health}\n\n[dialogs]"), encoding="utf-8")
    with gateway(tmp_path, "--data", str(data), "--config", str(config)) as process:
        hooks = webhooks(data, process.url)
        asyncio.run(provoke(process.url, hooks))
        pid = process.popen.pid
        lines = Path(f"/proc/{pid}/cmdline").read_bytes().decode() + Path(f"/proc/{pid}/environ").read_bytes().decode()
        metrics = asyncio.run(fetch(f"http://127.0.0.1:{health}/metrics"))
        modes = {path.relative_to(data).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in [data, *data.rglob("*")]}
        process.popen.terminate()
        out, err = process.popen.communicate(timeout=30)
        assert process.popen.returncode == 0
    assert "parley_messages_in_total" in metrics
    secrets = {url.rsplit("/", 1)[1] for url in hooks.values()}
    for name, text in (("stdout", out), ("stderr", err), ("metrics", metrics), ("command line", lines)):
        found = [word for word in (WORD, PHONE, PHONE[1:], ANNA, *secrets) if word in text]
        assert found == [], (name, found)
    for line in err.splitlines():
        assert json.loads(line)["level"] in {"warning", "error"}
    wrong = {name: oct(mode) for name, mode in modes.items() if mode != (0o700 if (data / name).is_dir() else 0o600)}
    assert wrong == {}


async def fetch(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.text()


async def test_no_secret_is_in_what_is_printed_of_settings_channels_and_errors(parley: Running) -> None:
    running = parley.gateway
    secrets = {configured.secret for configured in running.channels.values()}
    for configured in running.channels.values():
        for name in ("auth_token", "account_sid", "keys"):
            value = getattr(configured.settings, name, ())
            secrets.update((value,) if isinstance(value, str) else value)
    assert len(secrets) >= 5
    printed = repr(running) + repr(running.settings) + repr(running.keys) + repr(list(running.channels.values())) + str(running.settings)
    printed += repr([configured.adapter for configured in running.channels.values()])
    assert [secret for secret in secrets if secret in printed] == []


def test_the_log_cuts_what_is_too_long_and_breaks_no_line() -> None:
    hostile = '\r\n{"level": "fake"}\x1b[31m\u2028' + "x" * 1_000_000
    record = logging.LogRecord("a", logging.ERROR, "", 0, "%s", (hostile,), None)
    line = JsonLines().format(record)
    assert len(line) < 20_000
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_the_key_of_one_installation_makes_the_secrets_of_no_other(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir(mode=0o700)
        settings = load(None, {}, {"server.port": 0})
        made.append({one.secret for one in make_channels(settings, {}, open_keys(folder), "http://127.0.0.1:1").values()})
    assert not made[0] & made[1]


def test_the_umask_of_whoever_starts_it_opens_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        with gateway(tmp_path, "--data", str(data)):
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.rglob("*")]}
    finally:
        os.umask(before)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
