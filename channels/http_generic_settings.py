"""The settings of `http_generic`: who may call, which field is what, what is answered, how a message is sent.

Must not do anything but hold and check them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from channels import admission, mapping, sms
from channels.http_reading import REPORTED, STATUSES, Fields
from core.model.outbound import SendErrorCode

PLACES = ("to", "to_digits", "from", "from_digits", "text", "id", "callback", "secret")
ANSWERED = ("text", mapping.FIELD)  # places in an answer to a USSD request
_NAMED = "{" + "}, {".join(PLACES) + "}"


def _doc(text: str, **limits: Any) -> Mapping[str, Any]:
    return {"doc": text, **limits}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a channel at any HTTP gateway; its address is the number, short code, service code or name that customers use."""

    medium: Literal["sms", "ussd"] = field(default="sms", metadata=_doc("What the gateway carries."))
    sources: tuple[str, ...] = field(default=(), metadata=_doc("Networks that the gateway calls from; empty: from anywhere."))
    secret_header: str = field(default="X-Api-Key", metadata=_doc("Header that carries one of `secrets`."))
    secrets: tuple[str, ...] = field(default=(), repr=False, metadata=_doc("Value of that header; two while it is being changed."))
    basic: tuple[str, ...] = field(default=(), repr=False, metadata=_doc("user:password that the gateway calls with; two likewise."))
    hmac_keys: tuple[str, ...] = field(
        default=(), repr=False, metadata=_doc("Key that signs the body, or the query of a GET; two likewise.")
    )
    hmac_header: str = field(default="X-Signature", metadata=_doc("Header that carries the signature."))
    hmac_algorithm: Literal["sha256", "sha512", "sha1"] = field(default="sha256", metadata=_doc("Its hash."))
    hmac_encoding: Literal["hex", "base64"] = field(default="hex", metadata=_doc("How the signature is written; hex in lower case."))
    hmac_prefix: str = field(default="", metadata=_doc("What stands before it, such as sha256=."))

    format: Literal["auto", "form", "json", "query"] = field(
        default="auto",
        metadata=_doc("Where the fields are; auto: the query of a GET or of a call without a body, else as the content type says."),
    )
    items_field: str = field(default="", metadata=_doc("Field of a JSON body that lists the events; none: the body is one event."))
    id_field: str = field(default="id", metadata=_doc("Field with the gateway's id of a message; dotted where JSON is nested."))
    sender_field: str = field(default="from", metadata=_doc("Field with the customer's number."))
    recipient_field: str = field(default="to", metadata=_doc("Field with our address; none: the channel's."))
    text_field: str = field(default="text", metadata=_doc("Field with the text or input."))
    time_field: str = field(default="", metadata=_doc("Field with an ISO 8601 time."))
    status_field: str = field(default="status", metadata=_doc("Field that makes a request without text a delivery report."))
    statuses: tuple[str, ...] = field(
        default=(), metadata=_doc(f"theirs=ours, ours one of {', '.join(REPORTED)}; above the usual words of gateways and SMS centres.")
    )
    report_id_field: str = field(default="", metadata=_doc("Field of a report with the gateway's id; none: as in a message."))
    reference_field: str = field(default="", metadata=_doc("Field of a report with our own id; none: as in {callback}."))
    code_field: str = field(default="", metadata=_doc("Field of a report with the reason."))

    session_field: str = field(default="session", metadata=_doc("USSD: field with the id of the session."))
    cumulative: bool = field(default=False, metadata=_doc("USSD: the text is all input so far, joined by stars."))
    session_begins: str = field(default="", metadata=_doc("USSD: field=value that begins a session; none: an empty text does."))
    session_ends: str = field(default="", metadata=_doc("USSD: field=value of the notice that a session is over."))
    continue_text: str = field(
        default="CON {text}", metadata=_doc("USSD: plain answer that waits for input; {field:x} gives field x back.")
    )
    end_text: str = field(default="END {text}", metadata=_doc("USSD: plain answer that ends the session."))
    continue_fields: tuple[str, ...] = field(default=(), metadata=_doc("USSD: the same as JSON; name={text}, or name:=true for JSON."))
    end_fields: tuple[str, ...] = field(default=(), metadata=_doc("USSD: likewise, ending the session."))
    answer_deadline_s: float = field(default=4.0, metadata=_doc("USSD: seconds after which a screen comes too late.", least=1, most=15))

    answer_text: str = field(default="", metadata=_doc("SMS: what the gateway wants to read in our answer."))
    answer_type: str = field(default="text/plain; charset=utf-8", metadata=_doc("SMS: its content type."))
    send_url: str = field(default="", metadata=_doc("SMS: address that takes messages.", pattern=rf"|{sms.API_BASE}(\?[^\s#]*)?"))
    send_format: Literal["form", "json", "query", "get"] = field(
        default="form", metadata=_doc("SMS: how fields are sent: by POST as form, JSON or query, or by GET.")
    )
    send_fields: tuple[str, ...] = field(
        default=("to={to}", "from={from}", "text={text}"), metadata=_doc(f"SMS: name=value, or name:=JSON, with {_NAMED} in place.")
    )
    send_headers: tuple[str, ...] = field(default=(), metadata=_doc("SMS: headers of the same form."))
    send_secret: str = field(default="", repr=False, metadata=_doc("SMS: what {secret} stands for."))
    send_basic: str = field(default="", repr=False, metadata=_doc("SMS: user:password for sending."))
    answer_is: Literal["json", "text", "none"] = field(default="json", metadata=_doc("SMS: what an answer of 2xx holds."))
    sent_id_field: str = field(default="id", metadata=_doc("SMS: field of a JSON answer with the gateway's id."))
    sent_id_after: str = field(default="", metadata=_doc("SMS: what stands before the id in a plain answer."))
    error_field: str = field(default="", metadata=_doc("SMS: field of a JSON answer with a code; a plain answer begins with it."))
    errors: tuple[str, ...] = field(
        default=(), metadata=_doc(f"SMS: theirs=ours, whatever the status says; ours one of {', '.join(SendErrorCode)}.")
    )
    text_max_chars: int = field(default=1_530, metadata=_doc("SMS: characters that the gateway takes at once.", least=70, most=10_000))
    provider_retries: str = field(default="not known", metadata=_doc("How the gateway tries again, for people to read."))
    timeout_s: float = field(default=sms.TIMEOUT_S, metadata=_doc("Seconds that one call may take.", least=1, most=60))

    def __post_init__(self) -> None:
        admission.networks(self.sources)
        if not all((*self.secrets, *self.hmac_keys)) or not all(":" in pair for pair in (*self.basic, self.send_basic or ":")):
            raise ValueError("secrets and hmac_keys must not be empty, and basic and send_basic have the form user:password")
        if self.medium == "sms" and not (self.id_field or self.time_field):
            raise ValueError("without id_field a message is told from its repetition by time_field, so one of them is needed")
        mapping.table(self.statuses, REPORTED)
        mapping.table(self.errors, SendErrorCode)
        mapping.lines((*self.send_fields, *self.send_headers), PLACES)
        for plain in (self.continue_text, self.end_text):
            mapping.check(plain, ANSWERED)
        values = {"text": "", **{f"{mapping.FIELD}{name}": "" for name in self.asked()}}
        for wanted in (self.continue_fields, self.end_fields):
            mapping.document(mapping.lines(wanted, ANSWERED), values)
        mapping.document(mapping.lines(self.send_fields, PLACES), dict.fromkeys(PLACES, ""))

    def asked(self) -> tuple[str, ...]:
        """Return the fields of a USSD request that its answer gives back."""
        return mapping.asked((self.continue_text, self.end_text, *self.continue_fields, *self.end_fields))

    def fields(self) -> Fields:
        """Return which field of a request is what."""
        return Fields(
            format=self.format,
            items=self.items_field,
            id=self.id_field,
            sender=self.sender_field,
            recipient=self.recipient_field,
            text=self.text_field,
            time=self.time_field,
            status=self.status_field,
            statuses={**STATUSES, **mapping.table(self.statuses, REPORTED)},
            report_id=self.report_id_field,
            reference=self.reference_field,
            code=self.code_field,
            session=self.session_field if self.medium == "ussd" else "",
            cumulative=self.cumulative,
            begins=self.session_begins,
            ends=self.session_ends,
        )
