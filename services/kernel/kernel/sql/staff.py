"""The projection of the gateway's directory that scopes are decided by: who is in which team."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

_USERS = """
    insert into staff (user_id, version, team_id, disabled)
    select * from unnest(%(ids)s::uuid[], %(versions)s::int[], %(teams)s::uuid[], %(disabled)s::bool[])
    on conflict (user_id) do update
    set version = excluded.version, team_id = excluded.team_id, disabled = excluded.disabled
    where staff.version < excluded.version
"""
_TEAM = """
    insert into teams (team_id, version, path) values (%(id)s, %(version)s, %(path)s::uuid[])
    on conflict (team_id) do update set version = excluded.version, path = excluded.path
    where teams.version < excluded.version
"""


def record_users(session: Session, users: Sequence[tuple[UUID, int, UUID | None, bool]]) -> None:
    """Applies (user id, version, team id, disabled) rows that are newer than what is held."""
    if not users:
        return
    # One statement can't touch a row twice: of a user told twice the greater version stays.
    newest = {user[0]: user for user in sorted(users, key=lambda user: user[1])}
    ids, versions, teams, disabled = (
        list(column) for column in zip(*(newest[user_id] for user_id in sorted(newest)), strict=True)
    )
    session.connection().exec_driver_sql(
        _USERS, {"ids": ids, "versions": versions, "teams": teams, "disabled": disabled}
    )


def record_teams(session: Session, teams: Sequence[tuple[UUID, int, Sequence[UUID]]]) -> None:
    """Applies (team id, version, path from the root to the team) rows that are newer than what is held."""
    for team_id, version, path in sorted(teams, key=lambda team: team[0]):
        session.connection().exec_driver_sql(_TEAM, {"id": team_id, "version": version, "path": list(path)})
