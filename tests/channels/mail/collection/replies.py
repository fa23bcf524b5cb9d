"""Replies as mail programs write them, in every language of `languages.toml`."""

# ruff: noqa: E501 - samples stand as they arrive

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from tests.channels.mail.collection.case import HEADERS, QUOTED, Case, message

LANGUAGES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("languages.toml").read_text(encoding="utf-8"))


def prefixed(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def html_lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.split("\n"))


def folded(line: str) -> str:
    """Fold a long attribution as Gmail does: before the address."""
    return line.replace(" <support@", " <\nsupport@") if len(line) > 72 else line


def gmail_plain(words: dict[str, Any]) -> tuple[str, str]:
    return f"{words['text']}\n\n{words['bye']}\n\n{folded(words['gmail'])}\n\n{prefixed(QUOTED)}\n", ""


def gmail_html(words: dict[str, Any]) -> tuple[str, str]:
    new = "".join(f"<div>{escape(line) or '<br>'}</div>" for line in words["text"].split("\n"))
    sign = f'<div class="gmail_signature" data-smartmail="gmail_signature"><div dir="ltr">{html_lines(words["bye"])}</div></div>'
    attr = f'<div dir="ltr" class="gmail_attr">{escape(words["gmail"])}<br></div>'
    quote = f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px solid #ccc">{html_lines(QUOTED)}</blockquote>'
    return "", f'<div dir="ltr">{new}<br>{sign}</div><br><div class="gmail_quote gmail_quote_container">{attr}{quote}</div>'


def outlook_plain(words: dict[str, Any]) -> tuple[str, str]:
    values = ["Support <support@operator.example>", words["dates"], "Anna", "Your question"]
    block = "\n".join(f"{label}: {value}" for label, value in zip(words["labels"], values, strict=True))
    return f"{words['text']}\n\n{words['bye']}\n\n{words['original']}\n{block}\n\n{QUOTED}\n", ""


def outlook_bare(words: dict[str, Any]) -> tuple[str, str]:
    values = ["Support <support@operator.example>", words["dates"], "Anna <anna@customer.example>", "Your question"]
    block = "\n".join(f"{label}: {value}" for label, value in zip(words["labels"], values, strict=True))
    return f"{words['text']}\n\n{words['bye']}\n\n{block}\n\n{QUOTED}\n", ""


def outlook_html(words: dict[str, Any]) -> tuple[str, str]:
    values = ["Support &lt;support@operator.example&gt;", words["dates"], "Anna", "Your question"]
    block = "<br>".join(f"<b>{label}:</b> {value}" for label, value in zip(words["labels"], values, strict=True))
    new = "".join(
        f'<p class="MsoNormal">{escape(line) or "&nbsp;"}<o:p></o:p></p>' for line in f"{words['text']}\n\n{words['bye']}".split("\n")
    )
    line = '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
    return (
        "",
        f'<html><body><div class="WordSection1">{new}<div>{line}<p class="MsoNormal">{block}</p></div></div><p>{html_lines(QUOTED)}</p></div></body></html>',
    )


def outlook_mobile(words: dict[str, Any]) -> tuple[str, str]:
    values = ["Support <support@operator.example>", words["dates"], "Anna <anna@customer.example>", "Your question"]
    block = "\n".join(f"{label}: {value}" for label, value in zip(words["labels"], values, strict=True))
    return f"{words['text']}\n\n{words['outlook']}<https://aka.ms/o0ukef>\n{'_' * 32}\n{block}\n\n{QUOTED}\n", ""


def telephone(words: dict[str, Any]) -> tuple[str, str]:
    return f"{words['text']}\n\n{words['device']}\n\n{prefixed(words['apple'] + chr(10) + QUOTED)}\n".replace(
        "> " + words["apple"], words["apple"]
    ), ""


def apple_html(words: dict[str, Any]) -> tuple[str, str]:
    cite = f'<blockquote type="cite"><div>{html_lines(words["apple"])}</div><br><div>{html_lines(QUOTED)}</div></blockquote>'
    return (
        "",
        f'<html><body dir="auto">{html_lines(words["text"])}<br><br><div dir="ltr">{words["device"]}</div><div dir="ltr"><br>{cite}</div></body></html>',
    )


def below(words: dict[str, Any]) -> tuple[str, str]:
    return f"{words['apple']}\n{prefixed(QUOTED)}\n\n{words['text']}\n\n-- \n{words['bye'].split(chr(10))[-1]}\n", ""


PROGRAMS: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {
    "gmail-plain": gmail_plain,
    "gmail-html": gmail_html,
    "outlook-plain": outlook_plain,
    "outlook-bare": outlook_bare,
    "outlook-html": outlook_html,
    "outlook-mobile": outlook_mobile,
    "iphone-plain": telephone,
    "apple-html": apple_html,
    "thunderbird-below": below,
}


def cases() -> Iterator[Case]:
    """Yield a reply of each program in each language."""
    for language, words in LANGUAGES.items():
        for program, write in PROGRAMS.items():
            plain, html = write(words)
            mail = message()
            if plain:
                mail.set_content(plain, cte="base64" if language in {"ja", "zh", "ko"} else "quoted-printable")
            else:
                mail.set_content(html, subtype="html", cte="quoted-printable")
            yield Case(f"{program}-{language}", mail.as_bytes(), text=words["text"], body=plain or None, headers=HEADERS, attachments=[])
