"""Turns an HTML body into lines of text that know whether they are quoted, and into HTML that is safe to show.

The marks are those that mail programs put around quotations and signatures. Must not fetch anything, and the safe HTML holds nothing
that would: no pictures but those within the mail, no styles, no scripts.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import nh3
from lxml import etree  # type: ignore[import-untyped]  # ships no types; met here only

from channels.mail import model
from channels.mail.lines import Line, Mark

_SKIPPED = {"head", "style", "script", "title", "template", "noscript", "object", "select", "textarea", "svg", "math", "iframe"}
_BLOCKS = {"div", "tr", "table", "ul", "ol", "li", "dl", "dt", "dd", "center", "form", "address", "section", "article", "header", "footer"}
_BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "blockquote", "body", "hr", "main", "aside", "figure", "fieldset"}
_APART = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "hr"}  # a blank line before and after
_HIDDEN = re.compile(r"display\s{0,3}:\s{0,3}none|mso-hide\s{0,3}:\s{0,3}all", re.IGNORECASE)
_INDENT = re.compile(r"border\s{0,3}:\s{0,3}(?:none|medium none|0)", re.IGNORECASE)
_OUTLOOK = re.compile(
    r"border-(?:top|width)\s{0,3}:[^;]{0,30}(?:e1e1e1|b5c4df|rgb\(225, ?225, ?225\)|rgb\(181, ?196, ?223\)|1pt medium medium)",
    re.IGNORECASE,
)  # the line above the header block that Outlook writes
_SPACE = re.compile(r"[ \t\n\r\f\xa0\u2000-\u200a\u202f\u3000]+")
_COLLAPSED = " \t\n\r\f"
_NO_MARGIN = re.compile(r"margin(?:-top)?\s{0,3}:\s{0,3}0", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z/!?][^<>]{0,2000}>?")
_OPENED = re.compile(r"<[A-Za-z][A-Za-z0-9:]{0,30}")
_IN_TAG = re.compile(r">|=\s*[\"']")
_ALT = re.compile(r"^[^\x00-\u1fff]{1,6}$")  # the picture of an emoji

_CUT_IDS = (
    *("divrplyfwdmsg", "appendonsend", "mail-editor-reference-message-container", "olk_src_body_section", "zwchr", "isreplycontent"),
    *("isforwardcontent", "ms-outlook-mobile-body-separator-line", "origbody", "spnorigmsg", "replyblockquote", "mailcontent-reply"),
)
_QUOTE_CLASSES = (
    *("gmail_attr", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote", "tutanota_quote", "zmail_extra", "quotedtext", "cm_quote"),
    *("moz-forward-container", "mailru-blockquote", "outlookmessageheader"),
)
_SIGNATURE_CLASSES = ("gmail_signature", "moz-signature", "protonmail_signature_block", "mail_signature", "apple-mail-signature")
_SIGNATURE_IDS = ("signature", "ms-outlook-mobile-signature", "applemailsignature", "x_signature")

_ALLOWED: dict[str, Any] = {
    "tags": {
        *(
            "a",
            "abbr",
            "b",
            "blockquote",
            "br",
            "caption",
            "code",
            "col",
            "colgroup",
            "dd",
            "del",
            "div",
            "dl",
            "dt",
            "em",
            "h1",
            "h2",
            "h3",
        ),
        *(
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
            "img",
            "ins",
            "li",
            "ol",
            "p",
            "pre",
            "s",
            "small",
            "span",
            "strong",
            "sub",
            "sup",
            "table",
            "tbody",
        ),
        *("td", "tfoot", "th", "thead", "tr", "u", "ul"),
    },
    "clean_content_tags": {"script", "style", "title", "template", "noscript"},
    "attributes": {"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "*": {"dir", "lang"}},
    "url_schemes": {"http", "https", "mailto", "tel", "cid"},
    "attribute_filter": lambda tag, name, value: None if (tag, name) == ("img", "src") and not value.lower().startswith("cid:") else value,
    "link_rel": "noopener noreferrer nofollow",
}
_Element = Any  # lxml's element has no type to name


def lines(html: str) -> list[Line]:
    """Return the text of an HTML body, line by line, each with the mark of what surrounds it."""
    html = _shortened(html)
    if len(html) > model.HTML_CHARS_MAX or html.count("<") > model.HTML_TAGS_MAX:
        return [Line(" ".join(line.split())) for line in unescape(_TAG.sub("", html)).split("\n")]
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, recover=True, huge_tree=True)
    try:
        root = etree.fromstring(html.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:  # nothing in it that shows
        root = None
    if root is None:
        return [Line(line) for line in unescape(_TAG.sub(" ", html)).split("\n")]
    page = _Page()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            page.open(element)
        else:
            page.close(element)
    return page.finished()


def _shortened(html: str) -> str:
    """Return HTML in which long tags have lost their attributes: the time to read one grows with the square of their number."""
    done: list[str] = []
    kept = position = 0
    while opened := _OPENED.search(html, position):
        position = opened.end()
        while (token := _IN_TAG.search(html, position)) and token[0] != ">":
            position = html.find(token[0][-1], token.end()) + 1 or len(html)
        position = token.end() if token else len(html)
        if position - opened.start() > model.TAG_CHARS_MAX:
            done += [html[kept : opened.start()], opened[0], ">"]
            kept = position
    return "".join([*done, html[kept:]])


class _Page:
    """The text as it comes out of the elements, one after the other."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._current: list[str] = []
        self._marks: list[Mark] = [Mark.NONE]
        self._skipping = 0
        self._verbatim = 0
        self._lists: list[int | None] = []  # the number of the last item; None for a list without numbers

    def open(self, element: _Element) -> None:
        tag = element.tag
        if self._skipping or tag in _SKIPPED or _HIDDEN.search(element.get("style", "")):
            self._skipping += 1
            return
        if tag in _BLOCKS:
            self._end_block(apart=_apart(element))
        self._enter(_mark(element))
        if tag == "br":
            self._end_line()
        elif tag == "pre":
            self._verbatim += 1
        elif tag in {"ul", "ol"}:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._current.append(self._bullet())
        elif tag in {"td", "th"} and self._current:
            self._current.append(" ")
        elif tag == "img" and _ALT.match(element.get("alt", "")):
            self._current.append(element.get("alt"))
        self._add(element.text)

    def close(self, element: _Element) -> None:
        if self._skipping:
            self._skipping -= 1
        else:
            if element.tag in _BLOCKS:
                self._end_block(apart=_apart(element))
            self._marks.pop()
            if element.tag == "pre":
                self._verbatim -= 1
            elif element.tag in {"ul", "ol"}:
                self._lists.pop()
        if not self._skipping:
            self._add(element.tail)

    def finished(self) -> list[Line]:
        self._end_block(apart=False)
        return self._lines

    def _enter(self, own: Mark | None) -> None:
        around = self._marks[-1]
        if own is Mark.CUT:
            self._marks = [Mark.CUT] * len(self._marks)  # it lasts to the end of the mail
            around = Mark.CUT
        self._marks.append(own if own and around in {Mark.NONE, Mark.SIGNATURE} else around)

    def _bullet(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number + 1}. "

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if not self._verbatim:
            self._current.append(text)
            return
        first, *rest = text.split("\n")
        self._current.append(first)
        for line in rest:
            self._end_line()
            self._current.append(line)

    def _end_line(self) -> None:
        text = "".join(self._current)
        text = text.rstrip() if self._verbatim else _SPACE.sub(" ", text).strip()
        self._lines.append(Line("-- " if text == "--" else text, self._marks[-1]))
        self._current.clear()

    def _end_block(self, *, apart: bool) -> None:
        text = "".join(self._current)
        if text.strip(_COLLAPSED) or (self._verbatim and text):
            self._end_line()
        self._current.clear()
        if apart and self._lines and self._lines[-1].text:
            self._lines.append(Line("", self._marks[-1]))


def _apart(element: _Element) -> bool:
    """Tell whether a block has a blank line around it; paragraphs of some programs are mere lines."""
    if element.tag != "p":
        return element.tag in _APART
    return not (element.get("class", "").startswith("Mso") or _NO_MARGIN.search(element.get("style", "")))


def _mark(element: _Element) -> Mark | None:
    """Return what the element says of everything in it, if anything."""
    tag, style = element.tag, element.get("style", "")
    if tag == "blockquote":
        indented = _INDENT.search(style) and element.get("type") != "cite" and "gmail_quote" not in element.get("class", "")
        return None if indented else Mark.QUOTE
    own_id = element.get("id", "").lower()
    if own_id.startswith(_CUT_IDS) or element.get("data-marker") == "__DIVIDER__" or (tag == "div" and _OUTLOOK.search(style)):
        return Mark.CUT
    classes = element.get("class", "").lower().split()
    if (
        any(name.startswith(_QUOTE_CLASSES) for name in classes)
        or "yahoo_quoted" in own_id  # after a prefix that changes
        or element.get("name") in {"quote", "messageReplySection"}
    ):
        return Mark.QUOTE
    if own_id in _SIGNATURE_IDS or any(name.startswith(_SIGNATURE_CLASSES) for name in classes):
        return Mark.SIGNATURE
    return None


def safe(html: str) -> str:
    """Return HTML that may be shown in a page of ours, or nothing where the body is too large or has too many tags for that."""
    if len(html) > model.SAFE_HTML_CHARS_MAX or html.count("<") > model.SAFE_HTML_TAGS_MAX:
        return ""
    return nh3.clean(html, **_ALLOWED)
