"""The tree of teams: new ones, renaming, moving."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from gateway.domain import teams
from gateway.domain.errors import TeamNotFound
from gateway.domain.events import teams_recorded
from gateway.domain.teams import Team
from gateway.usecases.ports import Work
from kernel.pure.errors import Checks, StaleEtag
from kernel.pure.ids import new_id


def create_team(work: Work, name: str, parent_id: UUID | None) -> Team:
    """A team below `parent_id`, or a root. Raises Invalid or TeamsTooDeep."""
    work.teams.freeze()
    checks = Checks()
    teams.check_name(name, checks)
    parent = _parent(work, parent_id, checks)
    checks.raise_if_any()
    team = teams.new_team(new_id(), name, parent)
    work.teams.add(team)
    for event in teams_recorded([team]):
        work.record(event)
    work.audit("create", "team", team.id, parent=str(parent_id or ""))
    return team


def update_team(
    work: Work, team_id: UUID, etag: str, name: str, parent_id: UUID | None, fields: Collection[str]
) -> Team:
    """Renames a team, moves it with all below it, or both, as `fields` ("name", "parent_id") say.

    An empty `etag` is not compared. Raises TeamNotFound, StaleEtag, Invalid, TeamBelowItself or
    TeamsTooDeep.
    """
    work.teams.freeze()
    subtree = {member.id: member for member in work.teams.subtree(team_id)}
    if team_id not in subtree:
        raise TeamNotFound
    before = subtree[team_id]
    if etag and etag != str(before.version):
        raise StaleEtag
    checks = Checks()
    changed: dict[UUID, Team] = {}
    if "name" in fields:
        teams.check_name(name, checks)
    parent = _parent(work, parent_id, checks) if "parent_id" in fields else None
    checks.raise_if_any()
    if "parent_id" in fields:
        changed = {member.id: member for member in teams.move(before, list(subtree.values()), parent)}
    if "name" in fields and name != before.name:
        changed[team_id] = changed.get(team_id, before).renamed(name)
    if changed:
        work.teams.save(list(changed.values()))
        for event in teams_recorded(list(changed.values())):
            work.record(event)
        work.audit("update", "team", team_id, teams=len(changed))
    return changed.get(team_id, before)


def _parent(work: Work, parent_id: UUID | None, checks: Checks) -> Team | None:
    if parent_id is None:
        return None
    parent = work.teams.get(parent_id)
    if parent is None:
        checks.refuse("team.parent_id", "UNKNOWN_TEAM", "must be a team that exists", "必须是已存在的团队")
    return parent
