"""The telecom library as a customer meets it: over the real USSD webhook, with the real record and the demo billing."""

from itertools import count

import pytest

from tests.gateway.running import running

PHONE = "+254733000777"


class Phone:
    """A handset that sends its input as the network does: all of the session so far."""

    def __init__(self, parley):
        self.parley = parley
        self.sessions = count(1)

    async def session(self, *answers):
        """Dial, answer one screen after the other, return the last screen."""
        session, text = f"s{next(self.sessions)}", ""
        status, screen = await self.parley.dial("", phone=PHONE, session=session)
        for answer in answers:
            assert screen.startswith("CON "), screen
            text = f"{text}*{answer}" if text else answer
            status, screen = await self.parley.dial(text, phone=PHONE, session=session)
        assert status == 200
        return screen

    async def paid(self):
        async with self.parley.http.get(f"{self.parley.gateway.demo.bss_url}/demo/payments") as answer:
            payments = (await answer.json())["payments"]
        return [(payment["kind"], payment["amount"]["value"]) for payment in payments if payment["msisdn"] == PHONE]


@pytest.mark.parametrize(
    ("language", "greeting", "balance", "done"),
    [
        ("1", "CON How can we help?", "END Your balance is KES ", "END Done: KES 50 added."),
        ("2", "CON Comment vous aider ?", "END Votre solde est de KES ", "END C'est fait : KES 50 en plus."),
        ("3", "CON Tukusaidie nini?", "END Salio lako ni KES ", "END Imekamilika: KES 50 imeongezwa."),
    ],
)
async def test_money_moves_once_in_the_language_that_was_chosen(tmp_path, language, greeting, balance, done):
    async with running(tmp_path) as parley:
        phone = Phone(parley)
        assert (await phone.session("7", language)).startswith("END ")
        assert (await phone.session()).startswith(greeting)
        before = await phone.session("1")
        assert before.startswith(balance)
        assert (await phone.session("2", "50", "1")).startswith(done)
        after = await phone.session("1")
        assert float(after.split("KES ")[1].rstrip(".")) == pytest.approx(float(before.split("KES ")[1].rstrip(".")) + 50)
        assert (await phone.session("3", "1", "1")).startswith("END ")
        assert await phone.paid() == [("topup", 50.0), ("bundle", 20.0)]


async def test_a_fault_becomes_a_case_that_can_be_asked_about(tmp_path):
    async with running(tmp_path) as parley:
        phone = Phone(parley)
        opened = await phone.session("5", "2", "market street")
        ((number, kind, description),) = await parley.rows("select number, kind, description from case_file")
        assert opened.startswith("END ")
        assert str(number) in opened
        assert (kind, description) == ("slow_internet", "market street")
        assert (await phone.session("6")).startswith(f"END Your requests:\n{number} market street: ")
        reasons = await parley.rows("select reason from interaction order by opened_at")
        assert reasons == [("report_fault",), ("my_requests",)]


async def test_a_name_and_the_consent_are_kept_in_the_record(tmp_path):
    async with running(tmp_path) as parley:
        phone = Phone(parley)
        assert "Amina Otieno" in await phone.session("9", "1", "Amina Otieno")
        assert (await phone.session("9", "2", "1")).startswith("END ")
        ((name, opted_out),) = await parley.rows(
            "select p.name, m.opted_out_at is not null from party p join contact_medium m on m.party_id = p.id where m.value = ?", PHONE
        )
        assert (name, opted_out) == ("Amina Otieno", 1)
        assert (await phone.session("9", "3")).startswith("END ")
        assert await parley.rows("select opted_out_at from contact_medium where value = ?", PHONE) == [(None,)]
