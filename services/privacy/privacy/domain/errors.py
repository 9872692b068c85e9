"""What can be in the way of a wish to the privacy service."""

from __future__ import annotations

from kernel.pure.errors import AlreadyExists, NotFound, Precondition


class BasisUnknownToLaw(Precondition):
    reason = "BASIS_UNKNOWN_TO_LAW"
    en = "The law of this installation ({law}) knows no legal basis {basis}."
    zh = "本系统适用的法律（{law}）不承认合法性基础 {basis}。"


class PurposeNotFound(NotFound):
    reason = "PURPOSE_NOT_FOUND"
    en = "There is no such purpose."
    zh = "处理目的不存在。"


class PurposeExists(AlreadyExists):
    reason = "PURPOSE_EXISTS"
    en = "There is a purpose with this id."
    zh = "该处理目的标识已存在。"


class NoticeNotFound(NotFound):
    reason = "NOTICE_NOT_FOUND"
    en = "There is no such notice of this purpose."
    zh = "该处理目的没有此告知文本。"


class AuditBatchBroken(Precondition):
    reason = "AUDIT_BATCH_BROKEN"
    en = "Audit rows told by {service} are not what was sealed, from position {position} on."
    zh = "{service} 发送的审计记录从位置 {position} 起与封存内容不符。"


class SubjectUnknown(NotFound):
    reason = "SUBJECT_UNKNOWN"
    en = "There is no such person, or you may not see them."
    zh = "该个人不存在，或您无权查看。"


class ErasureNotFound(NotFound):
    reason = "ERASURE_NOT_FOUND"
    en = "There is no such erasure request."
    zh = "删除请求不存在。"


class ErasureNotInState(Precondition):
    reason = "ERASURE_NOT_IN_STATE"
    en = "The erasure request is {state}: this can't be done with it now."
    zh = "删除请求当前状态为 {state}，不能执行该操作。"


class ErasureOpen(AlreadyExists):
    reason = "ERASURE_OPEN"
    en = "An erasure request for this person is open already."
    zh = "该个人已有未完成的删除请求。"


class HoldNotFound(NotFound):
    reason = "HOLD_NOT_FOUND"
    en = "There is no such hold in force."
    zh = "生效中的保全措施不存在。"
