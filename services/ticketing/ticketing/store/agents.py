"""Who works on tickets: the staff of a team, what they have in hand and how much they may have."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from ticketing.domain.judging import Agent

# Whoever gives out a team's tickets does so alone: two at once would each see the other's agent as free.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('agents:' || %(team)s::text, 0))"
_OF_TEAM = """
    select s.user_id, (select count(*) from tickets t where t.assignee_id = s.user_id
                       and t.status in ('open', 'pending'))::int as load,
           case when a.away then 0 else coalesce(a.capacity, %(capacity)s) end as capacity
    from staff s left join agents a using (user_id)
    where s.team_id = %(team)s and not s.disabled
"""
_TEAM_OF = "select team_id from staff where user_id = %(user)s and not disabled"
_TEAMS = "select team_id from teams where team_id = any(%(ids)s)"
_SAVE = """
    insert into agents (user_id, version, capacity, away) values (%(user)s, 1, %(capacity)s, %(away)s)
    on conflict (user_id) do update
    set version = agents.version + 1, capacity = excluded.capacity, away = excluded.away
"""


class AgentRepository:
    def __init__(self, session: Session) -> None:
        self._connection = session.connection

    def of_team(self, team_id: UUID, capacity: int) -> list[Agent]:
        """The team's agents, alone with them until the end of the transaction; `capacity` is what holds for
        those of whom nothing is said."""
        self._connection().exec_driver_sql(_ALONE, {"team": team_id})
        params = {"team": team_id, "capacity": capacity}
        rows = self._connection().exec_driver_sql(_OF_TEAM, params).all()
        return [Agent(row.user_id, row.load, row.capacity) for row in rows]

    def team_of(self, user_id: UUID) -> tuple[bool, UUID | None]:
        """Whether there is such a member of staff, and their team."""
        row = self._connection().exec_driver_sql(_TEAM_OF, {"user": user_id}).first()
        return (row is not None, row.team_id if row else None)

    def teams(self, team_ids: Collection[UUID]) -> set[UUID]:
        """Those of these teams that there are."""
        rows = self._connection().exec_driver_sql(_TEAMS, {"ids": list(team_ids)})
        return set(rows.scalars())

    def save(self, user_id: UUID, capacity: int | None, away: bool) -> None:
        self._connection().exec_driver_sql(_SAVE, {"user": user_id, "capacity": capacity, "away": away})
