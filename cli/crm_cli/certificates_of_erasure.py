"""`crm certificate`: whether a certificate of erasure is what was signed, and by whom.

It needs nothing of the CRM: anyone can write this check anew from what stands here.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_PURPOSE = b"crm-erasure-certificate"
# What `verify` answers.
HOLDS, BROKEN, NONE, UNPINNED = 0, 1, 2, 3


class NoCertificate(Exception):
    """The text is none."""


def verify(file: Path, public_key: str | None) -> int:
    """Checks a certificate without asking anybody and says what it certifies.

    `public_key` is the installation's, in hexadecimal, as known from elsewhere. Without it only the file's
    own can be tried: anybody can sign with a key they made, so that the answer is UNPINNED then.
    """
    try:
        content, public = signed_content(file.read_text("utf-8"), public_key)
    except NoCertificate:
        print("this is no certificate")
        return NONE
    if content is None:
        print("the certificate was altered, or signed by another key")
        return BROKEN
    print(f"request {content['request']}, {content['outcome']} on {content['closed']}")
    for service, done in content["services"].items():
        kept = sum(one["rows"] for one in done["kept"])
        print(f"  {service}: {sum(done['erased'].values())} erased, {kept} kept")
    key = sha256(public).hexdigest()[:16]
    if public_key is None:
        print(
            f"unpinned: signed by key {key}, for which nobody vouches; name the installation's --public-key"
        )
        return UNPINNED
    print(f"signed by key {key}, the installation's")
    return HOLDS


def signed_content(text: str, public_key: str | None) -> tuple[dict[str, Any] | None, bytes]:
    """What a certificate says, or None when its signature does not hold; and the key it was checked with,
    its own when no other is named.

    Raises NoCertificate.
    """
    try:
        document = json.loads(text)
        content: dict[str, Any] = document["certificate"]
        public = bytes.fromhex(public_key or document["public_key"])
        signature = bytes.fromhex(document["signature"])
    except (ValueError, KeyError, TypeError):
        raise NoCertificate from None
    signed = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _PURPOSE + b"\0" + signed.encode())
    except (InvalidSignature, ValueError):
        return None, public
    return content, public
