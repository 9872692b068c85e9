"""Teams stand in a tree; each knows its path from the root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.domain.errors import TeamBelowItself, TeamsTooDeep
from kernel.pure.errors import Checks

DEEPEST = 16
LONGEST_NAME = 100


@dataclass(frozen=True)
class Team:
    """`path` leads from the root down to and including the team itself."""

    id: UUID
    version: int
    name: str
    path: tuple[UUID, ...]

    @property
    def parent_id(self) -> UUID | None:
        """The team above; None for a root."""
        return self.path[-2] if len(self.path) > 1 else None

    def renamed(self, name: str) -> Team:
        return self if name == self.name else replace(self, name=name, version=self.version + 1)


def new_team(id: UUID, name: str, parent: Team | None) -> Team:
    """A team below `parent`, or a root. Raises TeamsTooDeep."""
    return Team(id, 1, name, _below(parent, (id,)))


def move(team: Team, subtree: Sequence[Team], parent: Team | None) -> list[Team]:
    """The subtree of `team` (itself included) as it stands below `parent`, or as a root's.

    Answers nothing when the team is there already. Raises TeamBelowItself or TeamsTooDeep.
    """
    if parent is not None and team.id in parent.path:
        raise TeamBelowItself
    if team.parent_id == (parent.id if parent else None):
        return []
    above = len(team.path) - 1
    return [
        replace(member, path=_below(parent, member.path[above:]), version=member.version + 1)
        for member in subtree
    ]


def check_name(name: str, checks: Checks) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        checks.refuse(
            "team.name",
            "TEAM_NAME",
            f"must have 1 to {LONGEST_NAME} characters",
            f"必须为 1 到 {LONGEST_NAME} 个字符",
        )


def _below(parent: Team | None, path: tuple[UUID, ...]) -> tuple[UUID, ...]:
    whole = (*(parent.path if parent else ()), *path)
    if len(whole) > DEEPEST:
        raise TeamsTooDeep(levels=DEEPEST)
    return whole
