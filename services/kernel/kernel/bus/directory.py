"""Following the gateway's directory, as every service does whose reads are scoped by teams."""

from __future__ import annotations

from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.pure.ids import parse_id
from kernel.sql import staff
from kernel.sql.uow import UnitOfWork


class FollowsDirectory:
    """Subscriptions of a service inherit it.

    An id that is none can't be mended by waiting: Invalid sends the event to the dead letters.
    """

    @hears(UsersRecorded, together=True)
    def follow_users(self, work: UnitOfWork, event: UsersRecorded, envelope: Envelope) -> None:
        users = [
            (
                parse_id(told.user_id, "user_id"),
                told.version,
                parse_id(told.team_id, "team_id") if told.team_id else None,
                told.disabled,
            )
            for told in event.users
        ]
        staff.record_users(work.session, users)

    @hears(TeamsRecorded, together=True)
    def follow_teams(self, work: UnitOfWork, event: TeamsRecorded, envelope: Envelope) -> None:
        teams = [
            (parse_id(told.team_id, "team_id"), told.version, [parse_id(step, "path") for step in told.path])
            for told in event.teams
        ]
        staff.record_teams(work.session, teams)
