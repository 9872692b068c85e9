"""Random enterprises, and who reaches which record in them, found by asking each rule of each record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.sql import staff

SCOPES = (None, *Scope)


@dataclass
class Record:
    id: UUID
    owner_id: UUID | None
    collaborator_ids: list[UUID]


@dataclass
class World:
    """Teams with their parents, users with their teams, records; and how the directory told of them."""

    parents: dict[UUID, UUID | None] = field(default_factory=dict)
    team_of: dict[UUID, UUID | None] = field(default_factory=dict)
    # Users who appear as owners or callers and whom the directory has not told of.
    strangers: list[UUID] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    # The records that some of the users are themselves, as customers in the portal.
    portal: dict[UUID, Record] = field(default_factory=dict)
    # (user, version, team, disabled) and (team, version, path), older states among them.
    users_told: list[tuple[UUID, int, UUID | None, bool]] = field(default_factory=list)
    teams_told: list[tuple[UUID, int, list[UUID]]] = field(default_factory=list)

    @property
    def users(self) -> list[UUID]:
        return [*self.team_of, *self.strangers]

    def path(self, team: UUID) -> list[UUID]:
        """From the root down to the team."""
        above = self.parents[team]
        return [*(self.path(above) if above else ()), team]

    def reached(self, user: UUID, scope: Scope | None) -> set[UUID]:
        """The records of this world that a user reaches with a scope: the oracle."""
        return {record.id for record in self.records if self._reaches(user, scope, record)}

    def _reaches(self, user: UUID, scope: Scope | None, record: Record) -> bool:
        if scope is Scope.ALL:
            return True
        if scope is Scope.SELF:
            return self.portal.get(user) is record
        if scope is None:
            return False
        if user == record.owner_id or user in record.collaborator_ids:
            return True
        if scope is Scope.OWN or record.owner_id is None:
            return False
        mine, theirs = self.team_of.get(user), self.team_of.get(record.owner_id)
        if mine is None or theirs is None:
            return False
        if scope is Scope.TEAM:
            return mine == theirs
        team: UUID | None = theirs
        while team is not None and team != mine:
            team = self.parents[team]
        return team == mine


def world(chance: Random, teams: int | None = None, users: int | None = None, records: int = 0) -> World:
    """A random world: teams that moved, users who moved, left or belong nowhere, records of all of them.

    It has as many of each as asked for, else a few.
    """
    made = World()
    for _ in range(chance.randint(0, 5) if teams is None else teams):
        _found_team(made, chance)
    for _ in range(chance.randint(1, 5) if users is None else users):
        _employ(made, chance)
    made.strangers = [_id(chance) for _ in range(chance.randint(0, 1))]
    for _ in range(records or chance.randint(1, 7)):
        owner = chance.choice([*made.users, *made.users, None])
        helpers = chance.sample(made.users, min(len(made.users), chance.choice((0, 0, 0, 1, 2))))
        made.records.append(Record(_id(chance), owner, helpers))
    # By chances of its own, which leave the rest of the world as it was without a portal.
    by_portal = Random(made.records[0].id.int)
    made.portal = {user: by_portal.choice(made.records) for user in made.users if by_portal.random() < 0.5}
    chance.shuffle(made.users_told)
    chance.shuffle(made.teams_told)
    return made


def tell(session: Session, worlds: Iterable[World]) -> None:
    """Lets the projections of a service hear of the users and teams, as the directory tells them."""
    for one in worlds:
        staff.record_teams(session, one.teams_told)
        # In two parts, so that older states come after newer ones and the other way round.
        half = len(one.users_told) // 2
        staff.record_users(session, one.users_told[:half])
        staff.record_users(session, one.users_told[half:])


def acting(made: World, user: UUID, scopes: Mapping[str, Scope | None]) -> Principal:
    """A user of a world with one grant of each permission, or none."""
    held = {permission: scope for permission, scope in scopes.items() if scope is not None}
    me = made.portal.get(user)
    return Principal(PrincipalKind.USER, str(user), held, customer_id=me.id if me else None)


def _found_team(made: World, chance: Random) -> None:
    """A team that stood elsewhere before it came to its place."""
    team = _id(chance)
    versions = chance.randint(1, 3)
    for version in range(1, versions + 1):
        made.parents[team] = chance.choice([*(other for other in made.parents if other != team), None])
        made.teams_told.append((team, version, made.path(team)))


def _employ(made: World, chance: Random) -> None:
    """A user who was in other teams before."""
    user = _id(chance)
    for version in range(1, chance.randint(1, 3) + 1):
        made.team_of[user] = chance.choice([*made.parents, *made.parents, None])
        made.users_told.append((user, version, made.team_of[user], chance.random() < 0.2))


def _id(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
