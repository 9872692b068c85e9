"""`crm certificate`: whether a certificate of erasure is what was signed."""

from __future__ import annotations

import json
from pathlib import Path

from kernel.pure.signing import key_id, verifies

_PURPOSE = "crm-erasure-certificate"


def verify(file: Path, public_key: str | None) -> int:
    """Checks a certificate without asking anybody; 0 when its signature holds.

    `public_key` is the installation's as known from elsewhere; without it the file's own is believed.
    """
    try:
        document = json.loads(file.read_text("utf-8"))
        content = document["certificate"]
        public = bytes.fromhex(public_key or document["public_key"])
        signature = bytes.fromhex(document["signature"])
    except (ValueError, KeyError, TypeError):
        print("this is no certificate")
        return 2
    signed = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if not verifies(public, _PURPOSE, signed.encode(), signature):
        print("the certificate was altered, or signed by another key")
        return 1
    print(f"request {content['request']}, {content['outcome']} on {content['closed']}")
    for service, done in content["services"].items():
        kept = sum(one["rows"] for one in done["kept"])
        print(f"  {service}: {sum(done['erased'].values())} erased, {kept} kept")
    print(f"signed by key {key_id(public)}")
    return 0
