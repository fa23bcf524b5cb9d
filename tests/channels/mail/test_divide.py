"""Where the new text of a mail ends: forms met in public collections of replies, written anew."""

from __future__ import annotations

import pytest

from channels.mail.divide import divide
from channels.mail.html_text import lines as html_lines
from channels.mail.lines import plain_lines

EARLIER = "> what can we do for you?\n"
NEW = "Please change my plan."


def new_text(body: str) -> str:
    """Return the new text of a plain body."""
    return divide(plain_lines(body)).text


@pytest.mark.parametrize(
    "quoted",
    [
        f"2025/3/4 Support via Operator <help@operator.example>\n\n{EARLIER}",
        f"2025/3/4 Support <help@operator.example>\n{EARLIER}",
        f"---- Jo Example wrote ----\n\n{EARLIER}",
        "Date: Tue, 4 Mar 2025 02:35:10 +0000 From: help@operator.example To: Example, Anna Subject: Your plan\n\nWhat can we do?",
        "From: help@operator.example Date: Tue, 4 Mar 2025\n\nWhat can we do?",
        "Original Message processed by david®\nRe: Plan 4. März 2025, 12:44 Uhr\nVon Support\nAn Anna\n\nWas dürfen wir tun?",
    ],
)
def test_heads_of_quotations(quoted: str) -> None:
    assert new_text(f"{NEW}\n\n{quoted}") == NEW


@pytest.mark.parametrize(
    "text",
    [
        "Our plans:\n\nPlan     Price\n----------------------\nSmall    10\nLarge    20\n\nWhich of them is cheaper?",
        "From: our house To: your shop it is a mile.",
        "I was there on 4 March 2025 (help@operator.example)\n\nand nobody was in.",
        "See here:\n>>> >>> https://shop.example <<<\nand tell me.",
    ],
)
def test_text_that_looks_like_something_else(text: str) -> None:
    assert new_text(text) == text


def test_a_line_drawn_within_the_text_ends_nothing() -> None:
    text = f"First this.\n\n{'_' * 60}\n\nThen that."
    assert new_text(f"{text}\n\nKind regards,\nAnna") == text
    assert new_text("First this.\n\n----------\nAnna Example\nExample Ltd") == "First this."


def test_what_a_program_broke_off_a_quoted_line_is_quoted() -> None:
    long = "> the plan that you have asked us for can be had from the first of next month\n"
    body = f"{NEW}\n\nOn 4 March 2025, Support wrote:\n{long}if you want\n> it, see (https://shop.example/plan\n_id=3)\n>\n"
    assert new_text(body) == NEW
    assert new_text(f"{long}Yes, I do\n{EARLIER}") == "Yes, I do"
    assert new_text(f"> do you want the plan that begins on the first of the next month, or not?\nyes\n{EARLIER}") == "yes"


@pytest.mark.parametrize("farewell", ["Udvozlettel,\nAnna", "Z powazaniem\nAnna", "mit freundlichen Grußen\nAnna", "Saygilarimla\nAnna"])
def test_farewells_without_their_accents(farewell: str) -> None:
    assert new_text(f"{NEW}\n\n{farewell}") == NEW


def test_a_name_with_its_title_is_a_signature() -> None:
    assert new_text(f"{NEW}\n\nAnna Example | Head of Sales\nExample Ltd") == NEW
    assert new_text(f"{NEW}\n\nsmall | large\n1 | 2") == f"{NEW}\n\nsmall | large\n1 | 2"


def test_thanks_that_open_the_text_are_no_farewell_where_another_follows() -> None:
    assert new_text("Thanks,\n\nnow it works\n\nregards\n\nAnna") == "Thanks,\n\nnow it works"
    assert new_text("Thanks,\nAnna") == "Thanks,"


def test_a_header_block_in_one_line_of_html() -> None:
    html = "Please change my plan.<div><hr><b>From: help@operator.example</b> <b>Date: 4 Mar 2025 10:00</b></div><div>What can we do?</div>"
    assert divide(html_lines(html)).text == NEW


@pytest.mark.parametrize(
    "text",
    [
        "My phone is locked.\n\nMy iPhone does not connect to your network.",
        "Gestern war es noch gut.\n\nVon meinem iPhone aus kann ich nicht telefonieren.",
        "Hallo,\n\ngestern habe ich Ihnen eine Mail geschickt.",
        "Merhaba,\n\nFatura bana mail ile gönderildi.",
        "Hallo,\n\nOutlook für iOS zeigt keine Mails an.",
        "Here it is.\n\nSent from my desk, as that is easier than on my mobile phone.",
        "Hello,\n\nI received a legal notice from your company about an unpaid bill.",
        "Hallo,\n\nmein Computer ist virenfrei.",
        "Hello,\n\nthis message is intended for the manager.",
        "Please port these numbers.\n\n+44 7700 900001\n+44 7700 900002",
        "My details are below.\n\nAccount 4711\nPhone 07700 900001\nE-mail anna@customer.example",
        "Hello,\n\nName: Anna Example\nE-mail: anna@customer.example\nPhone: 07700 900001",
        "My new address is:\n\nAnna Example\n12 High Street\nanna@customer.example",
        "Subject: pause\nFrom: 1 March\nTo: 31 March",
        "I sent you a mail on 3/4/2025 from anna@customer.example:\nno answer came.",
        "Mr Example wrote on 3.3.2025:\nthe plan is free of charge.\nIs that right?",
    ],
)
def test_what_customers_write_about_is_kept(text: str) -> None:
    assert new_text(text) == text


@pytest.mark.parametrize(
    "signature",
    [
        "Sent from Mailbox",
        "Sent from my Verizon, Samsung Galaxy smartphone",
        "Von meinem Samsung Gerät gesendet.",
        "Outlook für Android herunterladen<https://mail.example/x>",
        "Yahoo Mail'den gönderildi",
        "从我的手机发送",
        "Anna Example\nExample Ltd\nTel: +44 7700 900001\nwww.example.example",
        "Anna Example\nSales\n\nTel: +44 7700 900001\nFax: +44 7700 900002",
        "Many thanks and best regards\nAnna",
        "Mit freundlichen Gruessen / Kind regards\nAnna",
        "S úctou,\nAnna",
        "This e-mail and any files sent with it are confidential and intended for whom it is addressed to.",
        "Virus-free. www.scanner.example",
    ],
)
def test_what_ends_a_mail_is_signature(signature: str) -> None:
    divided = divide(plain_lines(f"{NEW}\n\n{signature}"))
    assert (divided.text, divided.signature.split()) == (NEW, signature.split())


@pytest.mark.parametrize(
    "quoted",
    [
        "On Tue, 4 Mar 2025 08:14:43 -0200 Jo Example <jo@operator.example> wrote\n\nWhat can we do?",
        "On Tue, Mar 4, 2025 at 10:07 PM Jo Example\n\n<\nmailto:Jo Example <jo@operator.example>\n> wrote:\nWhat can we do?",
        "Date: Tue, 4 Mar 2025 00:15:02 -0600\nTo: anna@customer.example",
        '-------- Original Message --------From: "Jo" Date: 04/03/25 18:46 To: Subject: Your plan\n\nWhat can we do?',
        f"On 4 March 2025 at 10:15, Jo <jo@operator.example> wrote:\n\n> What\n (https://shop.example/x) >\n{EARLIER}",
    ],
)
def test_heads_that_programs_write_badly(quoted: str) -> None:
    assert new_text(f"{NEW}\n\n{quoted}") == NEW


@pytest.mark.parametrize(
    "head",
    [
        "Quoting Jo Example <jo@operator.example>:",
        "25. 3. 4. 10:07에 Jo 이(가) 쓴 글:",
        "El 4/3/2025 11:34, Jo <jo@operator.example> escribieron:",
        "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐",
        "---- 回复的原邮件 ----",
        "---------- Yönlendirilmiş ileti ---------",
        "No: Jo <jo@operator.example>\nNosūtīts: 2025-03-04 10:07\nKam: Anna\nTēma: Plāns",
        "Nga: Jo <jo@operator.example>\nDërguar: 4.3.2025 10:07\nPër: Anna\nSubjekti: Plani",
    ],
)
@pytest.mark.parametrize("quoted", [f"\n{EARLIER}", "\n\nWhat can we do?"])
def test_heads_in_many_languages(head: str, quoted: str) -> None:
    assert new_text(f"{NEW}\n\n{head}{quoted}") == NEW


def test_text_and_the_head_of_a_quotation_in_one_line() -> None:
    assert new_text(f"{NEW} On Wed, Mar 5, 2025 at 3:59 PM, jo@operator.example wrote:\n{EARLIER}") == NEW
    assert new_text(f"{NEW}--- On Wed, Mar 5, 2025 at 3:59 PM, jo@operator.example wrote:\n{EARLIER}") == NEW
    assert new_text("Il est mort\nLe mar. 4 mars 2025, 11:53, Service <s@operator.example> a écrit :\n\nBonjour,") == "Il est mort"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, Jo\n\nI am fine now.\n\nAnna",
        "Please cancel it.\n\nThank you\n\nMy number is 07700 900001.",
        "I want to leave.\n\nRegards\nAnna\n\nPS: please confirm it by text message.",
        "Prices:\n----\n\n1. The small one costs ten.\n\n----\n\nThe large one costs twenty.",
        "I bought:\n-apples",
        "This is my first wish.\n\n------------\n\nThis is the second one.",
        "My programme is below.\n\nset_up([a box])\ncall 07700900001\ncall 07700900002",
        "Kind regards!",
        "Thank you, Jo",
    ],
)
def test_what_follows_a_farewell_or_a_line_may_be_text(text: str) -> None:
    assert new_text(text) == text


@pytest.mark.parametrize(
    "signature",
    [
        "Kind regards,\nAnna Example\nExample Ltd.\nWe make it work.",
        "---\nAnna",
        "* * *\nAnna Example",
        "----------------\nLOGO\nAnna Example\nExample\nQuébec\nt. 555-0100\nf. 555-0101\nskype: anna\nhttps://a.example\nhttps://b.example",
        "Sent wirelessly from my BlackBerry device\nEnvoyé sans fil par mon terminal mobile BlackBerry",
    ],
)
def test_signatures_without_the_delimiter_of_the_standard(signature: str) -> None:
    assert new_text(f"{NEW}\n\n{signature}") == NEW
    assert new_text(f"{NEW}\n-anna") == NEW


def test_the_reply_section_of_spark() -> None:
    html = f'<div name="messageBodySection"><p>{NEW}</p></div><div name="messageReplySection"><p>What can we do?</p></div>'
    assert divide(html_lines(html)).text == NEW


HEAD = "<b>From:</b> Jo &lt;jo@operator.example&gt;<br><b>Date:</b> Tue, 4 Mar 2025 at 10:07<br><b>Subject:</b> Plan<br>"


@pytest.mark.parametrize(
    "quoted",
    [
        f'<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>{HEAD}</div><br>What can we do?</div>',
        '<div id="ydp1a2byahoo_quoted_7">Jo said<br>What can we do?</div>',
        '<div class="cm_quote">Jo said<br>What can we do?</div>',
        f"<hr><div>{HEAD}</div>What can we do?",
    ],
)
def test_quotations_in_html(quoted: str) -> None:
    assert divide(html_lines(f"<div>{NEW}</div>{quoted}")).text == NEW


def test_an_answer_below_a_quoted_forward_stays() -> None:
    html = f"<blockquote>---------- Forwarded message ---------<br>{HEAD}<br>What can we do?</blockquote><div>{NEW}</div>"
    assert divide(html_lines(html)).text == NEW


def test_the_senders_name_begins_a_signature() -> None:
    body = f"{NEW}\n\nEXAMPLE Dr. Anna\nAdvocate - Notary"
    assert divide(plain_lines(body), name="Anna Example").text == NEW
    assert divide(plain_lines(body), name="Jo Other").text == body
    named = f"{NEW}\n\nAnna Example\nis the new owner of it."
    assert divide(plain_lines(named), name="Anna Example").text == named
