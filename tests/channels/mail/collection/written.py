"""Plain texts as people and programs write them that follow no one pattern: what is new in them is given beside each."""

# ruff: noqa: E501 - samples stand as they arrive

from __future__ import annotations

from collections.abc import Iterator

from tests.channels.mail.collection.case import HEADERS, Case, message

# Name: (body, what is new in it).
TEXTS: dict[str, tuple[str, str]] = {
    "alone": ("My SIM card is lost. Please block it.", "My SIM card is lost. Please block it."),
    "only-thanks": ("Thank you!\n", "Thank you!"),
    "thanks-and-name": ("It works again.\n\nThanks,\nBob\n", "It works again."),
    "thanks-then-quote": ("Thanks a lot!\n\nOn 3 March 2025 09:14, Support wrote:\n> Done.\n", "Thanks a lot!"),
    "false-on": (
        "On Monday he called me.\nHe wrote: pay now.\nI did not.\n\nOn 1 Feb 2025, at 10:00, Support <s@operator.example> wrote:\n\n> Did you?\n",
        "On Monday he called me.\nHe wrote: pay now.\nI did not.",
    ),
    "inline": (
        "On 3 March 2025 09:14, Support wrote:\n> What is your number?\n\n0711 000 111\n\n> And your address?\n\nHill Street 1\n\n> Thank you\n> Support\n",
        "0711 000 111\n\nHill Street 1",
    ),
    "three-line-attribution": (
        "Yes please.\n\nOn Monday, the 3rd of March 2025 at 09:14, the\nSupport Team of the Operator <support@operator.example>\nwrote:\n\n> Shall we?\n",
        "Yes please.",
    ),
    "unquoted-original": ("No.\n\nOn Mon, 3 Mar 2025 09:14 Support <s@operator.example> wrote:\nShall we stop it?\n\nSupport\n", "No."),
    "forward-gmail": (
        "Please see below.\n\n---------- Forwarded message ---------\nFrom: Shop <shop@shop.example>\nDate: Mon, 3 Mar 2025 at 09:14\n"
        "Subject: Order\nTo: <anna@customer.example>\n\nYour order is late.\n",
        "Please see below.",
    ),
    "forward-apple": (
        "FYI\n\nBegin forwarded message:\n\nFrom: Shop <shop@shop.example>\nSubject: Order\nDate: 3 March 2025 at 09:14:00 CET\n"
        "To: anna@customer.example\n\nLate.\n",
        "FYI",
    ),
    "forward-thunderbird": (
        "What is this?\n\n\n-------- Forwarded Message --------\nSubject: \tOrder\nDate: \tMon, 3 Mar 2025 09:14:00 +0100\n"
        "From: \tShop <shop@shop.example>\nTo: \tanna@customer.example\n\nLate.\n",
        "What is this?",
    ),
    "forward-only": (
        "---------- Forwarded message ---------\nFrom: Shop <shop@shop.example>\nDate: Mon, 3 Mar 2025\nSubject: Order\n\nLate.\n",
        "",
    ),
    "lotus": (
        "The bill is wrong.\n\n\n\nFrom:\tSupport/Operator\nTo:\tAnna/Customer@Customer\nDate:\t03.03.2025 09:14\nSubject:\tYour bill\n\n\n\nPlease pay.\n",
        "The bill is wrong.",
    ),
    "lotus-old": (
        "The bill is wrong.\n\n\n\n\nSupport Desk <support@operator.example>\n03/03/2025 09:14 AM\n\nTo\nAnna <anna@customer.example>\ncc\n\n"
        "Subject\nYour bill\n\n\n\nPlease pay.\n",
        "The bill is wrong.",
    ),
    "aol": (
        "It is 500 MB.\n\nIn a message dated 3/3/2025 9:14:00 AM Central Standard Time, support@operator.example writes:\n\nHow much?\n",
        "It is 500 MB.",
    ),
    "yahoo": (
        "Still slow.\n\n    On Monday, March 3, 2025, 9:14 AM, Support <support@operator.example> wrote:\n\n  Is it better now?\n",
        "Still slow.",
    ),
    "yahoo-android": (
        "Still slow\n\nSent from Yahoo Mail on Android \n \n  On Mon, 3 Mar 2025 at 9:14 am, Support<support@operator.example> wrote:   Is it better now?\n",
        "Still slow",
    ),
    "outlook-star": (
        "Agreed.\n\n*From:* Support <support@operator.example>\n*Sent:* Monday, March 3, 2025 9:14 AM\n*To:* Anna\n*Subject:* Plan\n\nDo you agree?\n",
        "Agreed.",
    ),
    "outlook-express": (
        "Hello, it is 0711.\n----- Original Message ----- \nFrom: Support \nTo: Anna \nSent: Monday, March 03, 2025 9:14 AM\nSubject: Number\n\nWhat is it?\n",
        "Hello, it is 0711.",
    ),
    "samsung": (
        "Ok thanks\n\n\nSent from my Galaxy\n\n\n-------- Original message --------\nFrom: Support <s@operator.example> \nDate: 03/03/2025  09:14  (GMT+01:00) \nTo: a@customer.example \nSubject: Plan \n\nOk?\n",
        "Ok thanks",
    ),
    "blackberry": (
        "Call me please\nSent from my BlackBerry 10 smartphone.\n  Original Message  \nFrom: Support\nSent: Monday, March 3, 2025 09:14\nTo: Anna\nSubject: Call\n\nWhen?\n",
        "Call me please",
    ),
    "proton": (
        "I paid on Friday.\n\nSent with Proton Mail secure email.\n\nOn Monday, March 3rd, 2025 at 09:14, Support <s@operator.example> wrote:\n\n> Did you pay?\n",
        "I paid on Friday.",
    ),
    "zimbra": (
        'I paid.\n\n----- Original Message -----\nFrom: "Support" <s@operator.example>\nTo: "Anna" <a@customer.example>\nSent: Monday, March 3, 2025 9:14:00 AM\nSubject: Bill\n\nDid you?\n',
        "I paid.",
    ),
    "roundcube": ("Le 2025-03-03 09:14, Support a écrit :\n> Quel est votre numéro ?\n\nC'est le 0600000000.\n", "C'est le 0600000000."),
    "gmx": (
        'Ja, bitte.\n \n\nGesendet: Montag, 03. März 2025 um 09:14 Uhr\nVon: "Support" <s@operator.example>\nAn: anna@customer.example\nBetreff: Tarif\n\nSoll es beginnen?\n',
        "Ja, bitte.",
    ),
    "qq": (
        '好的\n\n\n------------------ 原始邮件 ------------------\n发件人: "Support" <s@operator.example>;\n发送时间: 2025年3月3日(星期一) 上午9:14\n收件人: "anna"<a@customer.example>;\n主题: 套餐\n\n可以吗？\n',
        "好的",
    ),
    "netease": ('可以。\n\n\n\n\n\nAt 2025-03-03 09:14:00, "Support" <s@operator.example> wrote:\n>可以吗？\n', "可以。"),
    "mailru": (
        "Да, подключайте.\n\nПонедельник, 3 марта 2025, 9:14 +03:00 от Support <s@operator.example>:\n\n>Подключить?\n",
        "Да, подключайте.",
    ),
    "yandex": (
        'Нет, спасибо, не нужно.\n\n03.03.2025, 09:14, "Support" <s@operator.example>:\n\n> Подключить?\n',
        "Нет, спасибо, не нужно.",
    ),
    "mutt": ("On Mon, Mar 03, 2025 at 09:14:00AM +0100, Support wrote:\n> Which model?\n\nA Fairphone.\n\n-- \nAnna\n", "A Fairphone."),
    "gnus": ("Support <s@operator.example> writes:\n\n> Which model?\n\nA Fairphone.\n", "A Fairphone."),
    "pine": ("Fairphone.\n\nOn Mon, 3 Mar 2025, Support wrote:\n\n> Which model?\n>\n", "Fairphone."),
    "delimiter": ("No signal here.\n\n-- \nAnna Example\nHill Street 1\n+254 711 000 111\n", "No signal here."),
    "delimiter-bare": ("No signal here.\n\n--\nAnna Example\n", "No signal here."),
    "delimiter-line": ("No signal here.\n\n____________________\nAnna Example\nCustomer Ltd.\nTel. +44 20 7946 0000\n", "No signal here."),
    "dash-name": ("No signal here.\n\n- Anna\n", "No signal here."),
    "own-name": ("No signal here.\n\nAnna\n", "No signal here."),
    "contact-block": (
        "No signal here.\n\nAnna Example\nHead of Purchasing\nPhone: +44 20 7946 0000\nwww.customer.example\n",
        "No signal here.",
    ),
    "disclaimer": (
        "Please stop the service.\n\nRegards\nAnna\n\nThis email and any attachments are confidential and intended solely for the addressee. If you are not\n"
        "the intended recipient, please delete it.\n",
        "Please stop the service.",
    ),
    "disclaimer-de": (
        "Bitte kündigen Sie den Vertrag.\n\nDiese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind,\nlöschen Sie sie bitte.\n",
        "Bitte kündigen Sie den Vertrag.",
    ),
    "disclaimer-fr": (
        "Merci de résilier mon contrat.\n\nCe message et ses pièces jointes sont confidentiels et réservés à leur destinataire.\n",
        "Merci de résilier mon contrat.",
    ),
    "disclaimer-es": ("Quiero la baja.\n\nAVISO LEGAL: Este mensaje puede contener información confidencial.\n", "Quiero la baja."),
    "scanner": ("It is fine now.\n\n-- \nThis email has been scanned for viruses.\n", "It is fine now."),
    "banner": (
        "CAUTION: This email originated from outside of the organization. Do not click links.\n\nMy bill is wrong.\n",
        "My bill is wrong.",
    ),
    "regards-same-line": ("My bill is wrong.\n\nBest regards, Anna Example\n", "My bill is wrong."),
    "regards-wide": (
        "My bill is wrong.\n\nBest regards,\n\nAnna Example\nCustomer Ltd | Hill Street 1 | Nairobi\nT: +254 20 000 000 | M: +254 711 000 111\n",
        "My bill is wrong.",
    ),
    "list-in-text": (
        "I need:\n\n- a new SIM\n- a new PIN\n\nPlease send both.\n",
        "I need:\n\n- a new SIM\n- a new PIN\n\nPlease send both.",
    ),
    "labels-in-text": ("Name: Anna\nNumber: 0711 000 111\nProblem: no signal\n", "Name: Anna\nNumber: 0711 000 111\nProblem: no signal"),
    "from-to-in-text": (
        "I was without network.\nFrom: Monday\nTo: Friday\nPlease refund me.\n",
        "I was without network.\nFrom: Monday\nTo: Friday\nPlease refund me.",
    ),
    "number-first": (
        "1234 is my PIN, I wrote: it down at 10:00.\nIs that bad?\n",
        "1234 is my PIN, I wrote: it down at 10:00.\nIs that bad?",
    ),
    "greater-than": ("My usage is\n\nmore than 5 GB but 3 > 2 is true.\n", "My usage is\n\nmore than 5 GB but 3 > 2 is true."),
    "nested-quotes": (
        "Done.\n\nOn 3 March 2025 09:14, Support wrote:\n> On 2 March 2025 08:00, Anna wrote:\n>> Please?\n> Soon.\n",
        "Done.",
    ),
    "quote-without-attribution": ("> What is your number?\n0711 000 111\n", "0711 000 111"),
    "ticket": (
        "Now it works.\n\n##- Please type your reply above this line -##\n\nOn 3 March 2025 09:14, Support <s@operator.example> wrote:\n> Better?\n",
        "Now it works.\n\n##- Please type your reply above this line -##",
    ),
    "swahili": ("Habari,\n\nsimu yangu haina mtandao.\n\nAsante,\nAnna\n", "Habari,\n\nsimu yangu haina mtandao."),
    "hindi": ("नमस्ते,\n\nमेरा सिम काम नहीं कर रहा है।\n\nधन्यवाद,\nअन्ना\n", "नमस्ते,\n\nमेरा सिम काम नहीं कर रहा है।"),
    "thai": ("สวัสดีค่ะ\n\nอินเทอร์เน็ตใช้ไม่ได้ค่ะ\n\nขอบคุณค่ะ\nแอนนา\n", "สวัสดีค่ะ\n\nอินเทอร์เน็ตใช้ไม่ได้ค่ะ"),
    "zoho": (
        "The small plan.\n\n---- On Mon, 03 Mar 2025 09:14:00 +0100 support@operator.example wrote ----\n\nWhich plan?\n",
        "The small plan.",
    ),
    "thanks-in-sentence": ("Thanks, that is fine now.\n\nBest regards\nAnna Example\n", "Thanks, that is fine now."),
    "thanks-alone-and-name": ("Thanks,\nAnna\n", "Thanks,"),
    "sent-from-in-text": ("It was\nsent from my office on Monday.\nWhere is it?\n", "It was\nsent from my office on Monday.\nWhere is it?"),
    "rule-in-text": (
        f"First part.\n\n---\n\n{'This goes on for quite a while and is no signature. ' * 3}\n\n{'Nor is this. ' * 20}\n",
        f"First part.\n\n---\n\n{'This goes on for quite a while and is no signature. ' * 3}\n\n{'Nor is this. ' * 20}",
    ),
    "hotmail": (
        "Fine.\n\nDate: Mon, 3 Mar 2025 09:14:00 +0100\nSubject: Plan\nFrom: s@operator.example\nTo: a@customer.example\n\nOk?\n",
        "Fine.",
    ),
    "gmail-2013": ("Fine.\n\n2025-03-03 9:14 GMT+01:00 Support <s@operator.example>:\n\n> Ok?\n", "Fine."),
    "avg-table": (
        "Fine.\n\n|  | Virus-free. www.avg.com |\n\nOn Mon, 3 Mar 2025 at 09:14, S <s@operator.example> wrote:\n\n> Ok?\n",
        "Fine.",
    ),
    "unknown-language": (
        "Tere tulemast.\n\n________________________________\nXaatja: Support <s@operator.example>\nYaadetud: 3.3.2025 9:14\nZaaja: Anna\nWeema: Arve\n\nMaksa.\n",
        "Tere tulemast.",
    ),
}


def cases() -> Iterator[Case]:
    """Yield a mail for each text."""
    for name, (body, new) in TEXTS.items():
        mail = message()
        mail.set_content(body, cte="8bit")
        yield Case(f"written-{name}", mail.as_bytes(), text=new, body=body, headers=HEADERS, attachments=[])
