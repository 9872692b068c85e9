"""Purposes and their legal bases, and the notices that persons are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from kernel.pure.errors import Checks
from privacy.domain.errors import BasisUnknownToLaw

_ID = re.compile(r"[a-z][a-z_]{1,39}")
_LONGEST_TITLE = 80
_LONGEST_TEXT = 20_000


class Basis(StrEnum):
    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_DUTY = "legal_duty"
    VITAL_INTEREST = "vital_interest"
    PUBLIC_INTEREST = "public_interest"
    DISCLOSED = "disclosed"
    LEGITIMATE_INTEREST = "legitimate_interest"


# PIPL article 13 knows no legitimate interest; GDPR article 6 knows no basis in disclosed data.
LAWS: Mapping[str, frozenset[Basis]] = {
    "CN": frozenset(Basis) - {Basis.LEGITIMATE_INTEREST},
    "EU": frozenset(Basis) - {Basis.DISCLOSED},
}


@dataclass(frozen=True)
class Purpose:
    """What data is used for."""

    id: str
    title_zh: str
    title_en: str
    basis: Basis


@dataclass(frozen=True)
class Notice:
    """What persons are told of a purpose. `major_version` is that of the last major notice up to this one:
    a grant under a smaller one is no longer valid."""

    id: UUID
    purpose_id: str
    version: int
    major_version: int
    text_zh: str
    text_en: str
    published_at: datetime

    @property
    def sha256(self) -> bytes:
        return sha256(f"{self.text_zh}\0{self.text_en}".encode()).digest()


def new_purpose(purpose: Purpose, law: str) -> Purpose:
    """The purpose, if it may be registered where `law` ("CN", "EU") holds.

    Raises Invalid, and BasisUnknownToLaw.
    """
    checks = Checks()
    if not _ID.fullmatch(purpose.id):
        checks.refuse(
            "purpose.id", "PURPOSE_ID", "must be 2 to 40 of a-z and _", "必须是 2 到 40 个小写字母或下划线"
        )
    for field, title in (("title_zh", purpose.title_zh), ("title_en", purpose.title_en)):
        if not 1 <= len(title.strip()) <= _LONGEST_TITLE:
            checks.refuse(
                f"purpose.{field}", "TITLE_LENGTH", "must have 1 to 80 characters", "必须有 1 到 80 个字符"
            )
    checks.raise_if_any()
    if purpose.basis not in LAWS[law]:
        raise BasisUnknownToLaw(basis=purpose.basis.value, law=law)
    return purpose


def next_notice(
    last: Notice | None, id: UUID, purpose_id: str, texts: tuple[str, str], major: bool, now: datetime
) -> Notice:
    """The notice that follows `last`, None for the first one, which is always major. Raises Invalid."""
    zh, en = texts
    checks = Checks()
    if not 1 <= len(zh.strip()) <= _LONGEST_TEXT:
        checks.refuse(
            "notice.text_zh", "TEXT_LENGTH", "must have 1 to 20,000 characters", "必须有 1 到 20000 个字符"
        )
    if len(en) > _LONGEST_TEXT:
        checks.refuse(
            "notice.text_en", "TEXT_LENGTH", "must have at most 20,000 characters", "最多 20000 个字符"
        )
    checks.raise_if_any()
    version = last.version + 1 if last else 1
    held = last.major_version if last else version
    return Notice(id, purpose_id, version, version if major else held, zh, en, now)
