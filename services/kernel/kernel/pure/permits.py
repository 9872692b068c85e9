"""Permits: the leave to send one message to one person, given by whoever keeps their wishes.

A token is "<payload>.<signature>" in unpadded base64url. Whoever sends checks it with the public keys
it has heard, without asking anybody: there is no way to a recipient that goes round the check.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kernel.pure.errors import Forbidden
from kernel.pure.signing import Signer, verifies

PURPOSE = "crm-permit"


class PermitRefused(Forbidden):
    reason = "PERMIT_REFUSED"
    en = "This message may not be sent: its permit is missing, forged, expired or for another one."
    zh = "不能发送该消息：许可缺失、伪造、已过期或属于其他消息。"


@dataclass(frozen=True)
class Permit:
    """Leave to reach `subject_id` on `channel` for `purpose`, in one campaign, until `expires_at`.

    `consent_id` names the event of the ledger that it rests on; empty when the purpose rests on
    another legal basis.
    """

    subject_id: str
    purpose: str
    channel: str
    campaign_id: str
    consent_id: str
    expires_at: datetime


def issue(signer: Signer, permit: Permit) -> str:
    """The token of a permit; `signer` signs for PURPOSE."""
    payload = {
        "kid": signer.key_id,
        "sub": permit.subject_id,
        "pur": permit.purpose,
        "chn": permit.channel,
        "cmp": permit.campaign_id,
        "cns": permit.consent_id,
        "exp": int(permit.expires_at.timestamp()),
    }
    encoded = _encode(json.dumps(payload, separators=(",", ":")).encode())
    return f"{encoded}.{_encode(signer.sign(encoded.encode()))}"


def verify(token: str, keys: Mapping[str, bytes], now: datetime) -> Permit:
    """The permit of a token that one of `keys` (public, by key id) signed and that has not expired.

    The caller compares it with what it is about to send. Raises PermitRefused.
    """
    encoded, _, signature = token.partition(".")
    try:
        payload = json.loads(_decode(encoded))
        key = keys[payload["kid"]]
        permit = Permit(
            subject_id=payload["sub"],
            purpose=payload["pur"],
            channel=payload["chn"],
            campaign_id=payload["cmp"],
            consent_id=payload["cns"],
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
        )
        signed = verifies(key, PURPOSE, encoded.encode(), _decode(signature))
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise PermitRefused from error
    if not signed or permit.expires_at <= now:
        raise PermitRefused
    return permit


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
