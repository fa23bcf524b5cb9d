"""Attachments at Twilio: what people send lies at an address of the account, for its password, and leads on to a content network.

What we send Twilio fetches from an address of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from channels.http import basic
from channels.twilio_hooks import ApiAccount
from core.model.adapter import MediaSource
from core.model.inbound import Media
from core.model.outbound import SendError, SendErrorCode

USUAL_API = "api.twilio.com"
_HERE = "127.0.0.1"
_NETWORKS = ("mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com")  # the last for what came long ago


def can_fetch(account: ApiAccount, public_url: str) -> bool:
    """Tell whether Twilio can fetch contents from us: by https, or from the same machine, as the stand-in does."""
    return public_url.startswith("https://") or urlsplit(account.api_base).hostname == _HERE


def link(media: Sequence[Media]) -> str:
    """Return the address of the one attachment that a message can have, empty if there is none; raises `SendError`."""
    if not media:
        return ""
    if len(media) > 1 or not media[0].url.startswith(("https://", f"http://{_HERE}:")):
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="one attachment with a public address can be sent")
    return media[0].url


def source(account: ApiAccount, media: Media) -> MediaSource:
    """Return from where an attachment or a recording of this account is fetched; only there the password is shown."""
    home = urlsplit(account.api_base).hostname or USUAL_API
    ours = urlsplit(media.url).path.startswith(f"/2010-04-01/Accounts/{account.account_sid}/")
    headers = {"Authorization": basic(f"{account.account_sid}:{account.auth_token[0]}")} if ours else {}
    return MediaSource(media.url, (home, *_NETWORKS), headers)
