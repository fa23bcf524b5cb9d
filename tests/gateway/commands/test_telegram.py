"""`parley telegram`: what Telegram is told, and what it says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.channels.telegram.person import CHANNEL, talking

WEB = """
[channels.web]
kind = "webchat"
address = "chat"
origins = ["own"]
keys = { generated = true }
"""
PLAIN = """
mode = "demo"
[operator]
name = "Test"
country = "KE"
currency = "KES"
[dialogs]
project = "telecom"
[backend]
url = "demo"
"""


async def parley(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, cli, ["telegram", *arguments])


async def test_a_webhook_is_set_shown_and_deleted(tmp_path: Path) -> None:
    async with talking(tmp_path) as asha:
        base = asha.parley.gateway.demo.twilio_url if asha.parley.gateway.demo else ""
        settings = asha.parley.gateway.channels["bot"].settings
        config = tmp_path / "own.toml"
        secrets = f'bot_token = {{ file = "{tmp_path}/token" }}\nwebhook_secret = {{ file = "{tmp_path}/secret" }}\n'
        (tmp_path / "token").write_text(settings.bot_token)
        (tmp_path / "secret").write_text("a-new-secret")
        config.write_text(f'{PLAIN}[channels.bot]\nkind = "telegram"\naddress = "@example_bot"\napi_base = "{base}"\n{secrets}')
        options = ("--config", str(config), "--data", str(tmp_path / "other"))
        told = await parley("set-webhook", *options)
        assert told.exit_code == 0, told.output
        assert "Telegram delivers to http://127.0.0.1:" in told.output
        bot = asha.telegram.connect(settings.bot_token, url="", secret="")
        assert (bot.url, bot.secret) == ("", "")
        for command, url in (("set-webhook", True), ("webhook", True), ("delete-webhook", False)):
            told = await parley(command, "--json", *options)
            assert bool(json.loads(told.output)["url"]) is url
            assert "/c/bot/…" in told.output if url else told.output
            assert settings.bot_token not in told.output
            if url:
                assert bot.secret == "a-new-secret"
                assert bot.url.rpartition("/")[2] not in told.output
                assert bot.allowed == ("message", "edited_message", "callback_query", "my_chat_member")
        told = await parley("webhook", *options)
        assert "Telegram keeps updates until they are asked for." in told.output


@pytest.mark.parametrize(
    ("channels", "more", "words"),
    [
        (WEB, (), "no channel of kind telegram"),
        (f"{CHANNEL}{CHANNEL.replace('bot]', 'bot2]')}", (), "name one of the bots by --channel: bot, bot2"),
        (CHANNEL, ("--channel", "nobody"), "name one of the bots by --channel: bot"),
        (f'{CHANNEL}updates = "polling"\n', (), "asks for its updates"),
        (CHANNEL, (), "Telegram cannot be reached: "),
    ],
)
async def test_what_cannot_be_done_is_said(tmp_path: Path, channels: str, more: tuple[str, ...], words: str) -> None:
    config = tmp_path / "parley.toml"
    config.write_text(f"{PLAIN}{channels}")
    told = await parley("set-webhook", "--config", str(config), "--data", str(tmp_path / "data"), *more)
    assert told.exit_code == 1
    assert words in told.output
