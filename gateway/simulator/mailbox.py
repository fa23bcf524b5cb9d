"""The phone's mailbox: what the page calls to write and answer mails, and what the simulated mail servers bring.

Must not know what a mail means.
"""

from __future__ import annotations

from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTP

from aiohttp import web

from gateway.simulator import letters
from gateway.simulator.letters import Sent, Writer
from gateway.simulator.scene import API, Scene, json_body, sample, text_of

_TEXT_CHARS_MAX = 20_000
_SUBJECT_CHARS_MAX = 200


def install(app: web.Application, scene: Scene) -> None:
    """Give `app` the mailbox."""
    mailbox = _Mailbox(scene)
    scene.demo.exchanger.exchanges = scene.wire
    scene.demo.exchanger.listen(mailbox.arrived)
    app.add_routes([web.post(f"{API}/mail", mailbox.write), web.post(f"{API}/mail/{{mail}}", mailbox.answer)])


class _Mailbox:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._exchanger = scene.demo.exchanger

    async def write(self, request: web.Request) -> web.Response:
        """Send a new mail."""
        body = await json_body(request)
        number, subject = self._scene.number(body.get("msisdn")), text_of(body, "subject", most=_SUBJECT_CHARS_MAX)
        text = text_of(body, "text", most=_TEXT_CHARS_MAX)
        if not (subject.strip() or text.strip()):
            raise web.HTTPBadRequest
        picture = sample() if body.get("picture") is True else b""
        return await self._send(number, letters.new(self._writer(number), self._scene.address("email"), subject, text, picture))

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a mail: as usual, with its references lost, from a stranger's address, by a machine, or as a server that returns it."""
        body = await json_body(request)
        number = self._scene.number(body.get("msisdn"))
        kept = self._scene.phones.find("mail", number, request.match_info["mail"])
        if kept is None or kept["sent"]:
            raise web.HTTPNotFound
        answered, writer = _read(kept["raw"]), self._writer(number)
        match body.get("how"):
            case "usual":
                sent = letters.answer(writer, answered, text_of(body, "text", most=_TEXT_CHARS_MAX), referring=True)
            case "lost":
                sent = letters.answer(writer, answered, text_of(body, "text", most=_TEXT_CHARS_MAX), referring=False)
            case "stranger":
                writer = Writer(letters.STRANGER, "A stranger", writer.at, writer.chance)
                sent = letters.answer(writer, answered, text_of(body, "text", most=_TEXT_CHARS_MAX), referring=True)
            case "automatic":
                sent = letters.automatic(writer, answered)
            case "bounce":
                sent = letters.bounce(writer, answered)
            case _:
                raise web.HTTPBadRequest
        return await self._send(number, sent)

    async def arrived(self, number: str, mail: EmailMessage) -> None:
        """Put a mail into the mailbox and on the screen."""
        self._keep(number, mail, sent=False)

    async def _send(self, number: str, sent: Sent) -> web.Response:
        """Hand a mail to the gateway; what it refuses is not in the mailbox."""
        channel = self._scene.channel("email")
        port = self._scene.gateway.mail_ports.get(channel.channel.id, 0) if channel else 0
        status = await self._exchanger.deliver(number, sent, port)
        if status == 250:
            self._keep(number, _read(sent.raw.decode("ascii", "replace")), sent=True)
        return web.json_response({"status": status})

    def _keep(self, number: str, mail: EmailMessage, *, sent: bool) -> None:
        document = {
            "sent": sent,
            "at": self._scene.gateway.clock.now_ms(),
            "from": str(mail["From"]),
            "to": str(mail["To"]),
            "subject": str(mail["Subject"]),
            "text": letters.text_of(mail),
            "automatic": str(mail.get("Auto-Submitted", "no")) != "no",
            "attachments": [part.get_filename("attachment") for part in mail.iter_attachments()] if mail.is_multipart() else [],
            "raw": "" if sent else mail.as_string(),
        }
        mail_id = str(mail["Message-ID"]).strip("<>").replace("/", "_")
        kept = self._scene.phones.keep("mail", number, mail_id, document)
        self._scene.feed.tell("mail", kept)

    def _writer(self, number: str) -> Writer:
        clock = self._scene.gateway.clock
        return Writer(letters.address_of(number), f"Customer {number[-3:]}", clock.now_ms(), clock.random(12).hex())


def _read(raw: str) -> EmailMessage:
    return message_from_string(raw, policy=SMTP)
