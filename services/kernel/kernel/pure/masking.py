"""How personal fields look to those who may not see them whole."""

from __future__ import annotations

import re

_CN_MOBILE = re.compile(r"\+86(1\d{10})")
_HIDDEN = "****"


def mask_phone(phone: str) -> str:
    """An E.164 number with its middle hidden: 138****5678, +14****2671; "" stays ""."""
    if not phone:
        return ""
    mobile = _CN_MOBILE.fullmatch(phone)
    shown = mobile[1] if mobile else phone
    if len(shown) < 11:
        # Too short to show both ends and still hide enough to matter.
        return _HIDDEN + shown[-2:]
    return f"{shown[:3]}{_HIDDEN}{shown[-4:]}"


def mask_email(email: str) -> str:
    """An address with all but the first letter of its local part hidden: l***@example.com."""
    local, at, domain = email.rpartition("@")
    if not at:
        return mask_all(email)
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"


def mask_all(text: str) -> str:
    """Nothing of the value, nor its length; "" stays ""."""
    return "***" if text else ""
