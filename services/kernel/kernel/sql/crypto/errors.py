"""What can go wrong with keys and sealed data."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from kernel.pure.errors import Precondition, Unavailable


class KeyringUnavailable(Unavailable):
    reason = "KEYRING_UNAVAILABLE"
    en = "Personal data can't be read or written at present; try again."
    zh = "个人信息暂时无法读取或写入，请重试。"


class SubjectErased(Precondition):
    """Somebody writes personal data of a subject that was erased."""

    reason = "SUBJECT_ERASED"
    en = "The personal data of this person was erased and can't be written again."
    zh = "该个人的信息已被删除，不能再次写入。"

    def __init__(self, subject_ids: Iterable[UUID]) -> None:
        self.subject_ids = frozenset(subject_ids)
        super().__init__(subjects=len(self.subject_ids))


class DayKeyDestroyed(Precondition):
    """What was sealed under the key of that day is gone for good."""

    reason = "DAY_KEY_DESTROYED"
    en = "What was stored on {day} has been destroyed."
    zh = "{day} 存储的内容已被销毁。"


class SealBroken(Exception):
    """Sealed bytes, or a wrapped key, are not what was written there.

    No CrmError on purpose: a caller learns nothing of it; operators find table and row in the log.
    """
