"""Someone with Telegram who talks to a whole gateway through the stand-in for Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.demo.operator import NUMBERS
from gateway.simulator.telegram import Chat, TelegramStandIn
from tests.channels.demo import demo_with
from tests.gateway.running import Running, running

CHANNEL = """
[channels.bot]
kind = "telegram"
address = "@example_bot"
bot_token = { generated = true }
webhook_secret = { generated = true }
api_base = "simulator"
"""


class Person:
    """One person in a private chat with the bot; what the bot shows is read off the chat, in order."""

    def __init__(self, parley: Running, phone: str) -> None:
        assert parley.gateway.demo is not None
        self.parley = parley
        self.phone = phone
        self.telegram: TelegramStandIn = parley.gateway.demo.telegram
        self.token: str = parley.gateway.channels["bot"].settings.bot_token
        self.chat: Chat = self.telegram.chat(self.token, phone, "Asha")
        self._seen = 0
        self._news = asyncio.Event()
        self.telegram.listen(lambda _: self._news.set())

    async def writes(self, text: str) -> int:
        """Write a text and return the number of the message."""
        assert await self.telegram.say(self.token, self.phone, text)
        return max(number for number, message in self.chat.messages.items() if message["mine"])

    async def sees(self) -> Mapping[str, Any]:
        """Return the next message of the bot, when it is there."""
        async with asyncio.timeout(20):
            while True:
                for number, message in self.chat.messages.items():
                    if number > self._seen and not message["mine"]:
                        self._seen = number
                        return message
                self._news.clear()
                await self._news.wait()

    async def asks(self, text: str) -> Mapping[str, Any]:
        """Write a text and return what the bot says to it."""
        await self.writes(text)
        return await self.sees()

    async def presses(self, message: Mapping[str, Any], label: str) -> Mapping[str, Any]:
        """Press the button with this label and return what the bot says to it."""
        places = [(r, c) for r, row in enumerate(message["inline_keyboard"]) for c, one in enumerate(row) if one["text"] == label]
        assert await self.telegram.press(self.token, self.phone, message["number"], *places[0])
        async with asyncio.timeout(20):
            while self.chat.messages[message["number"]]["waiting"]:
                self._news.clear()
                await self._news.wait()
        return await self.sees()

    @property
    def silent(self) -> bool:
        """Whether the bot has said nothing since the last message that was seen."""
        return not any(number > self._seen and not message["mine"] for number, message in self.chat.messages.items())


def labels(message: Mapping[str, Any]) -> list[str]:
    """Return the labels of a message's buttons."""
    return [button["text"] for row in message.get("inline_keyboard", ()) for button in row]


@asynccontextmanager
async def talking(folder: Path, channel: str = CHANNEL, phone: str = NUMBERS[0]) -> AsyncIterator[Person]:
    """Run a gateway with a bot and give somebody who can talk to it."""
    async with running(folder / "data", config=demo_with(folder, channel)) as parley:
        yield Person(parley, phone)
