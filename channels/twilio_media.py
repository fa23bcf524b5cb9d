"""Where what people send through Twilio lies: at an address of the account, for its password, which leads on to a content network."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlsplit

from channels.twilio_hooks import ApiAccount
from core.model.adapter import MediaSource
from core.model.inbound import Media

USUAL_API = "api.twilio.com"
_NETWORKS = ("mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com")  # the last for what came long ago


def source(account: ApiAccount, media: Media) -> MediaSource:
    """Return from where an attachment or a recording of this account is fetched; only there the password is shown."""
    home = urlsplit(account.api_base).hostname or USUAL_API
    credentials = b64encode(f"{account.account_sid}:{account.auth_token[0]}".encode()).decode()
    ours = urlsplit(media.url).path.startswith(f"/2010-04-01/Accounts/{account.account_sid}/")
    headers = {"Authorization": f"Basic {credentials}"} if ours else {}
    return MediaSource(media.url, (home, *_NETWORKS), headers)
