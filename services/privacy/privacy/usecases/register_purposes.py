"""The officer says what data is used for, and what persons are told of it."""

from __future__ import annotations

from kernel.pure.ids import new_id
from privacy.domain.purposes import Notice, Purpose, new_purpose, next_notice
from privacy.usecases.ports import Work


def register_purpose(work: Work, purpose: Purpose) -> None:
    """Raises Invalid, BasisUnknownToLaw or PurposeExists."""
    work.purposes.add(new_purpose(purpose, work.law))
    work.audit("create", "purpose", purpose.id, basis=purpose.basis.value)


def publish_notice(work: Work, purpose_id: str, texts: tuple[str, str], major: bool) -> Notice:
    """The next notice of a purpose, `texts` in Chinese and English. Raises Invalid or PurposeNotFound."""
    last = work.purposes.last_notice(purpose_id)
    notice = next_notice(last, new_id(), purpose_id, texts, major, work.now)
    work.purposes.publish(notice)
    work.audit("publish", "notice", notice.id, purpose=purpose_id, sha256=notice.sha256.hex())
    return notice
