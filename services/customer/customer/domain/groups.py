"""Groups: customers whom a rule selects (C-17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from kernel.pure.errors import Checks, StaleEtag
from kernel.pure.expression import Age, Both, Compare, Either, Literal, Name, Node, Not, parse

_LONGEST_NAME = 100
_LONGEST_DESCRIPTION = 1000
# All rules are evaluated for every customer that changes.
MOST_GROUPS = 500
EVALUATING, READY, DELETED = "evaluating", "ready", "deleted"


@dataclass(frozen=True)
class GroupDraft:
    """What a caller says of a group."""

    name: str
    expression: str
    description: str = ""


@dataclass(frozen=True)
class Group:
    """`rule_version` grows with every change of the expression; `after_id` is the last customer that was
    looked at with this version, while `state` is "evaluating" or "deleted"."""

    id: UUID
    version: int
    draft: GroupDraft
    rule_version: int = 1
    state: str = EVALUATING
    after_id: UUID | None = None

    @property
    def expression(self) -> str:
        """The rule in force: whoever is deleted selects nobody."""
        return "" if self.state == DELETED else self.draft.expression

    def changed(self, draft: GroupDraft, etag: str) -> Group:
        """The group after a change. Raises StaleEtag."""
        self._expect(etag)
        if draft == self.draft:
            return self
        group = replace(self, version=self.version + 1, draft=draft)
        if draft.expression == self.draft.expression:
            return group
        return replace(group, rule_version=self.rule_version + 1, state=EVALUATING, after_id=None)

    def deleted(self, etag: str) -> Group:
        """The group that all members are to leave. Raises StaleEtag."""
        self._expect(etag)
        return replace(self, version=self.version + 1, state=DELETED, after_id=None)

    def _expect(self, etag: str) -> None:
        if etag and etag != str(self.version):
            raise StaleEtag


def checked(draft: GroupDraft) -> GroupDraft:
    """`draft` in normal form. Raises Invalid naming fields below "group"."""
    draft = GroupDraft(" ".join(draft.name.split()), draft.expression.strip(), draft.description.strip())
    checks = Checks()
    for field, value, least, longest in (
        ("name", draft.name, 1, _LONGEST_NAME),
        ("description", draft.description, 0, _LONGEST_DESCRIPTION),
        ("expression", draft.expression, 1, None),
    ):
        if len(value) < least:
            checks.refuse(f"group.{field}", "REQUIRED", "must not be empty", "不能为空")
        if longest is not None and len(value) > longest:
            checks.refuse(
                f"group.{field}",
                "TOO_LONG",
                f"must have at most {longest} characters",
                f"最多 {longest} 个字符",
            )
    checks.raise_if_any()
    return draft


@dataclass(frozen=True)
class Moment:
    """What time alone changes in an answer: the age of an attribute passes `days`."""

    path: tuple[str, ...]
    days: int


def names(expression: str) -> set[tuple[str, ...]]:
    """The attributes that an expression asks for. Raises Invalid."""
    return {operand.path for operand in _operands(parse(expression)) if not isinstance(operand, Literal)}


def moments(expression: str) -> set[Moment]:
    """The ages at which time alone may change what an expression answers. Raises Invalid."""
    found: set[Moment] = set()
    for comparison in _comparisons(parse(expression)):
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            if isinstance(one, Age) and isinstance(other, Literal):
                values = other.value if isinstance(other.value, tuple) else (other.value,)
                found.update(Moment(one.path, value) for value in values if isinstance(value, int))
    return found


def next_change(day: date, ages: set[int], today: date) -> date | None:
    """The first day after today on which the age of `day` reaches or has just passed one of `ages`."""
    candidates = (day + timedelta(age + step) for age in ages if _is_near(day, age) for step in (0, 1))
    return min((candidate for candidate in candidates if candidate > today), default=None)


def _is_near(day: date, age: int) -> bool:
    """Whether the day is one that a calendar knows."""
    return 1 < day.toordinal() + age < date.max.toordinal() - 1


def _comparisons(node: Node) -> Iterator[Compare]:
    match node:
        case Both(operands) | Either(operands):
            for operand in operands:
                yield from _comparisons(operand)
        case Not(operand):
            yield from _comparisons(operand)
        case Compare():
            yield node


def _operands(node: Node) -> Iterator[Name | Age | Literal]:
    match node:
        case Both(operands) | Either(operands):
            for operand in operands:
                yield from _operands(operand)
        case Not(operand):
            yield from _operands(operand)
        case Compare(_, left, right):
            yield left
            yield right
        case Name():
            yield node
