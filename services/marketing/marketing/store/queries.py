"""The read side: one statement an answer. Campaigns are the enterprise's: whoever may read them sees all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.engine import Reader
from marketing.domain.campaign import Channel
from marketing.domain.suppression import Suppression
from marketing.store import suppressions
from marketing.store.campaigns import COLUMNS, campaign_of

__all__ = ["campaign_of"]

_CAMPAIGNS = f"select {COLUMNS} from campaigns where "
_COUNTS = """
    select count(*)::int audience,
           count(*) filter (where state in ('waiting', 'attempted'))::int waiting,
           count(*) filter (where state = 'sent')::int sent,
           count(*) filter (where state = 'skipped')::int skipped,
           count(*) filter (where state = 'failed')::int failed,
           count(*) filter (where state = 'unknown')::int unknown,
           count(opened_at)::int opened, count(clicked_at)::int clicked,
           count(unsubscribed_at)::int unsubscribed
    from messages where campaign_id = %(id)s
"""
_MESSAGES = """
    select id, campaign_id, customer_id, state, reason, consent_id, sent_at, opened_at, clicked_at,
           unsubscribed_at
    from messages
    where campaign_id = %(campaign)s and id > %(after)s and (%(state)s = '' or state = %(state)s)
    order by id limit %(limit)s
"""
_CAPS = "select channel, messages, days, version from frequency_caps order by channel"
_SUPPRESSIONS = f"""
    select {suppressions.COLUMNS} from suppressions where id < %(before)s order by id desc limit %(limit)s
"""
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


def get_campaign(reader: Reader, campaign_id: UUID) -> Any | None:
    """The row of one campaign; None when there is none."""
    return reader.row(_CAMPAIGNS + "id = %(id)s", {"id": campaign_id})


def count_messages(reader: Reader, campaign_id: UUID) -> Any:
    """How many recipients of a campaign are in which state."""
    return reader.row(_COUNTS, {"id": campaign_id})


def list_campaigns(reader: Reader, after: UUID | None, limit: int) -> list[Any]:
    """Rows of campaigns, newest first, from the one that comes after the id `after`."""
    if after is None:
        return reader.rows(_CAMPAIGNS + "true order by id desc limit %(limit)s", {"limit": limit})
    wanted = {"after": after, "limit": limit}
    return reader.rows(_CAMPAIGNS + "id < %(after)s order by id desc limit %(limit)s", wanted)


def list_messages(reader: Reader, campaign_id: UUID, state: str, after: UUID | None, limit: int) -> list[Any]:
    """Rows of a campaign's messages in a state ("" for all), from the one after the id `after`."""
    wanted = {"campaign": campaign_id, "state": state, "after": after or _FIRST, "limit": limit}
    return reader.rows(_MESSAGES, wanted)


def list_caps(reader: Reader) -> list[Any]:
    """Rows of the caps that were changed."""
    return reader.rows(_CAPS)


def suppressions_of(reader: Reader, blind: BlindIndex, channel: Channel, address: str) -> list[Suppression]:
    """What stands on the list for an address in normal form. Raises KeyringUnavailable."""
    wanted = {"channel": channel.value, "address": suppressions.hash_of(blind, address)}
    return [suppressions.suppression_of(row) for row in reader.rows(suppressions.OF, wanted)]


def list_suppressions(reader: Reader, before: UUID | None, limit: int) -> list[Suppression]:
    """The list of addresses that are not written to, newest first, from the entry before the id `before`."""
    rows = reader.rows(_SUPPRESSIONS, {"before": before or _LAST, "limit": limit})
    return [suppressions.suppression_of(row) for row in rows]
