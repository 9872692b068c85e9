"""One taxonomy of errors for all services.

A rule that refuses raises a subclass of `CrmError`. Its reason is stable and stands in the error
catalogue; its sentences, in English and Chinese, are for people. The doors map it to the wire
once (kernel.rpc.status, kernel.bus.entrypoint); anything that is no `CrmError` is opaque to callers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Self


class Kind(Enum):
    """What a caller can do about an error; each kind has one gRPC code."""

    INVALID = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE = "DEADLINE_EXCEEDED"


@dataclass(frozen=True)
class Violation:
    """One field that breaks one rule.

    `field` is the path in the request ("customer.person.phones[0]"), `rule` an UPPER_SNAKE reason,
    `en` and `zh` say the rule to a person. Never holds the offending value: it may be personal.
    """

    field: str
    rule: str
    en: str
    zh: str

    def within(self, prefix: str) -> Violation:
        """The same violation seen from a message that holds this one in the field `prefix`."""
        return Violation(f"{prefix}.{self.field}" if self.field else prefix, self.rule, self.en, self.zh)


class CrmError(Exception):
    """A refusal with a stable reason.

    Subclasses set `reason`, `en` and `zh`; the sentences may use the metadata as {placeholders}.
    """

    kind: ClassVar[Kind]
    reason: ClassVar[str] = ""
    en: ClassVar[str] = ""
    zh: ClassVar[str] = ""

    def __init__(self, **metadata: object) -> None:
        self.metadata: Mapping[str, str] = {key: str(value) for key, value in metadata.items()}
        self.violations: tuple[Violation, ...] = ()
        # Seconds after which trying again may help; None when it won't.
        self.retry_after: float | None = None
        super().__init__(self.message("en"))

    def message(self, language: str) -> str:
        """The sentence for a person, in "zh" or "en"."""
        return (self.zh if language == "zh" else self.en).format(**self.metadata)

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later without anything being corrected."""
        return self.kind in (Kind.ABORTED, Kind.EXHAUSTED, Kind.UNAVAILABLE, Kind.DEADLINE)


class NotFound(CrmError):
    """There is no such thing, or the caller may not know of it: the two look the same."""

    kind = Kind.NOT_FOUND


class AlreadyExists(CrmError):
    kind = Kind.ALREADY_EXISTS


class Forbidden(CrmError):
    kind = Kind.FORBIDDEN


class Unauthenticated(CrmError):
    kind = Kind.UNAUTHENTICATED


class Precondition(CrmError):
    """The state of the system forbids it; the caller must change that state first."""

    kind = Kind.PRECONDITION


class Aborted(CrmError):
    """Somebody else was faster; read again and retry."""

    kind = Kind.ABORTED


class _Passing(CrmError):
    """Waiting helps, so it is said how long: `wait` seconds, unless the obstacle knows better."""

    # None where waiting alone does not help.
    wait: float | None = 1.0

    def __init__(self, **metadata: object) -> None:
        super().__init__(**metadata)
        self.retry_after = self.wait


class Exhausted(_Passing):
    kind = Kind.EXHAUSTED


class Unavailable(_Passing):
    kind = Kind.UNAVAILABLE


class DeadlineExceeded(CrmError):
    kind = Kind.DEADLINE
    reason = "DEADLINE_EXCEEDED"
    en = "The call took longer than its deadline allows."
    zh = "调用超过了截止时间。"


class Invalid(CrmError):
    """The request breaks a rule; `violations` names each field and rule."""

    kind = Kind.INVALID
    reason = "INVALID_FIELDS"
    en = "The request breaks a rule: {fields}."
    zh = "请求不符合规则：{fields}。"

    @classmethod
    def of(cls, *violations: Violation) -> Self:
        error = cls(fields=", ".join(violation.field for violation in violations))
        error.violations = violations
        return error

    def within(self, prefix: str) -> Invalid:
        """The same error seen from a message that holds the invalid one in the field `prefix`."""
        return type(self).of(*(violation.within(prefix) for violation in self.violations))


class PermissionDenied(Forbidden):
    reason = "PERMISSION_DENIED"
    en = "You need the permission {permission}."
    zh = "需要权限 {permission}。"


class StaleEtag(Aborted):
    reason = "STALE_ETAG"
    en = "The record was changed since you read it; read it again."
    zh = "记录在您读取之后已被修改，请重新读取。"


class RequestIdReused(Precondition):
    reason = "REQUEST_ID_REUSED"
    en = "This request_id was used for another request."
    zh = "该 request_id 已用于另一个请求。"


class RequestInProgress(Aborted):
    reason = "REQUEST_IN_PROGRESS"
    en = "A request with this request_id is being carried out; try again."
    zh = "具有该 request_id 的请求正在执行，请重试。"


class AnswerErased(Precondition):
    reason = "ANSWER_ERASED"
    en = "The request with this request_id was carried out; its answer went with the data of a person."
    zh = "具有该 request_id 的请求已执行；其结果已随个人信息一并删除。"


class StoreUnavailable(Unavailable):
    reason = "STORE_UNAVAILABLE"
    en = "The database can't be reached; try again."
    zh = "数据库暂时无法访问，请重试。"


_MOST_VIOLATIONS = 20


@dataclass
class Checks:
    """Collects violations, so that a caller learns of all wrong fields at once."""

    found: list[Violation] = field(default_factory=list)

    def refuse(self, field: str, rule: str, en: str, zh: str) -> None:
        # As many as an answer can carry.
        if len(self.found) < _MOST_VIOLATIONS:
            self.found.append(Violation(field, rule, en, zh))

    def raise_if_any(self) -> None:
        """Raises Invalid with all that was found."""
        if self.found:
            raise Invalid.of(*self.found)


def catalogue() -> Iterator[type[CrmError]]:
    """Every error class with a reason that has been imported: the error catalogue."""
    pending: list[type[CrmError]] = [CrmError]
    while pending:
        error = pending.pop()
        pending.extend(error.__subclasses__())
        if error.reason:
            yield error
