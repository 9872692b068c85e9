"""`crm certificate`: whether a certificate of erasure is what was signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kernel.pure.signing import key_id, verifies

_PURPOSE = "crm-erasure-certificate"


class NoCertificate(Exception):
    """The text is none."""


def verify(file: Path, public_key: str | None) -> int:
    """Checks a certificate without asking anybody and says what it certifies; 0 when its signature holds.

    `public_key` is the installation's as known from elsewhere; without it the file's own is believed.
    """
    try:
        content, public = signed_content(file.read_text("utf-8"), public_key)
    except NoCertificate:
        print("this is no certificate")
        return 2
    if content is None:
        print("the certificate was altered, or signed by another key")
        return 1
    print(f"request {content['request']}, {content['outcome']} on {content['closed']}")
    for service, done in content["services"].items():
        kept = sum(one["rows"] for one in done["kept"])
        print(f"  {service}: {sum(done['erased'].values())} erased, {kept} kept")
    print(f"signed by key {key_id(public)}")
    return 0


def signed_content(text: str, public_key: str | None) -> tuple[dict[str, Any] | None, bytes]:
    """What a certificate says, or None when its signature does not hold; and the key it was checked with.

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
    holds = verifies(public, _PURPOSE, signed.encode(), signature)
    return (content if holds else None), public
