"""Campaigns as rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.errors import StaleEtag
from marketing.domain.campaign import Campaign, Channel, Status
from marketing.domain.content import Content
from marketing.domain.errors import CampaignNotFound

COLUMNS = (
    "id, version, title, group_id, purpose, channel, subject, body, status, waits_for, audience_after,"
    " created_at, started_at, finished_at"
)
_ADD = f"""
    insert into campaigns ({COLUMNS})
    values (%(id)s, %(version)s, %(title)s, %(group_id)s, %(purpose)s, %(channel)s, %(subject)s, %(body)s,
            %(status)s, %(waits_for)s, %(audience_after)s, %(created_at)s, %(started_at)s, %(finished_at)s)
"""
_SAVE = """
    update campaigns
    set version = %(version)s, title = %(title)s, group_id = %(group_id)s, purpose = %(purpose)s,
        channel = %(channel)s, subject = %(subject)s, body = %(body)s, status = %(status)s,
        waits_for = %(waits_for)s, audience_after = %(audience_after)s, started_at = %(started_at)s,
        finished_at = %(finished_at)s
    where id = %(id)s and version = %(version)s - 1
"""
_GET = f"select {COLUMNS} from campaigns where id = %(id)s"
_UNDER_WAY = f"select {COLUMNS} from campaigns where status in ('preparing', 'sending') order by started_at"


class CampaignRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, campaign: Campaign) -> None:
        self._session.connection().exec_driver_sql(_ADD, _row(campaign))

    def get(self, campaign_id: UUID) -> Campaign:
        """Raises CampaignNotFound."""
        return self._one(_GET, campaign_id)

    def lend(self, campaign_id: UUID) -> Campaign:
        """The campaign, locked until the transaction ends. Raises CampaignNotFound."""
        return self._one(_GET + " for update", campaign_id)

    def save(self, campaign: Campaign) -> None:
        """Raises StaleEtag when another version stands in the store than the one before this."""
        if self._session.connection().exec_driver_sql(_SAVE, _row(campaign)).rowcount != 1:
            raise StaleEtag

    def under_way(self) -> list[Campaign]:
        """Those that are preparing or sending, the oldest first."""
        return [campaign_of(row) for row in self._session.connection().exec_driver_sql(_UNDER_WAY)]

    def _one(self, statement: str, campaign_id: UUID) -> Campaign:
        row = self._session.connection().exec_driver_sql(statement, {"id": campaign_id}).first()
        if row is None:
            raise CampaignNotFound
        return campaign_of(row)


def campaign_of(row: Any) -> Campaign:
    """The campaign in a row of COLUMNS."""
    return Campaign(
        id=row.id,
        version=row.version,
        title=row.title,
        group_id=row.group_id,
        purpose=row.purpose,
        channel=Channel(row.channel),
        content=Content(row.subject, row.body),
        created_at=row.created_at,
        status=Status(row.status),
        waits_for=row.waits_for,
        audience_after=row.audience_after,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _row(campaign: Campaign) -> dict[str, Any]:
    row = dict(vars(campaign))
    content: Content = row.pop("content")
    status, channel = campaign.status.value, campaign.channel.value
    return row | {"subject": content.subject, "body": content.body, "status": status, "channel": channel}
