"""Facts the gateway tells of the directory; the fields mirror crm/gateway/v1/events.proto."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gateway.domain.teams import Team
from gateway.domain.users import User
from kernel.pure.events import Event

# Items one event may hold.
MOST_ITEMS = 500


@dataclass(frozen=True)
class UserItem:
    user_id: UUID
    version: int
    team_id: UUID | None
    role_ids: tuple[str, ...]
    disabled: bool


@dataclass(frozen=True)
class UsersRecorded(Event):
    """Users were created or changed: their state after it."""

    type: ClassVar[str] = "crm.gateway.v1.UsersRecorded"

    users: tuple[UserItem, ...]

    @classmethod
    def of(cls, user: User) -> UsersRecorded:
        return cls((UserItem(user.id, user.version, user.team_id, user.role_ids, user.disabled),))


@dataclass(frozen=True)
class TeamItem:
    team_id: UUID
    version: int
    path: tuple[UUID, ...]


@dataclass(frozen=True)
class TeamsRecorded(Event):
    """Teams were created, renamed or moved: their state after it."""

    type: ClassVar[str] = "crm.gateway.v1.TeamsRecorded"

    teams: tuple[TeamItem, ...]


def teams_recorded(teams: Sequence[Team]) -> Iterator[TeamsRecorded]:
    """As few events as hold all of `teams`."""
    items = [TeamItem(team.id, team.version, team.path) for team in teams]
    for start in range(0, len(items), MOST_ITEMS):
        yield TeamsRecorded(tuple(items[start : start + MOST_ITEMS]))
