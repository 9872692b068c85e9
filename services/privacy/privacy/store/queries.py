"""The read side: one statement an answer, scoped to what the principal may see."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.pure.grants import Principal, Scope
from kernel.sql import scope
from kernel.sql.engine import Reader
from privacy.store.persons import OWN

READ_CONSENTS = "privacy.consents.read"

_PURPOSES = "select id, title_zh, title_en, basis, created_at from purposes order by id"
_NOTICES = """
    select id, purpose_id, version, major_version, text_zh, text_en, sha256, published_at from notices
    where %(purpose)s = '' or purpose_id = %(purpose)s order by purpose_id, version desc
"""
# All ids of the person that %(subject)s is one of.
_IDS = """
    select %(subject)s::uuid as id union
    select survivor_id from links where customer_id = %(subject)s and survivor_id is not null union
    select l.customer_id from links l where l.survivor_id = coalesce(
        (select survivor_id from links where customer_id = %(subject)s), %(subject)s)
"""
# The person behind an id, when the caller may see them.
_SEEN = """
    select p.person_id from persons p
    where p.person_id = coalesce(
        (select survivor_id from links where customer_id = %(subject)s), %(subject)s) and
"""
# The last word of a person, whichever of their ids it was said under.
_CONSENTS = """
    select distinct on (c.purpose_id, c.channel) c.purpose_id, c.channel, c.state, c.event_id,
           c.effective_at, c.expires_at,
           c.state = 'granted' and (c.expires_at is null or c.expires_at > %(now)s)
           and c.major_version >= coalesce(
               (select max(major_version) from notices n where n.purpose_id = c.purpose_id), 0)
           and not exists (select from consents w where w.subject_id = any(%(ids)s)
               and w.purpose_id = c.purpose_id and w.channel = '*' and w.state <> 'granted'
               and (w.effective_at, w.weight, w.event_id) > (c.effective_at, c.weight, c.event_id)) as valid
    from consents c where c.subject_id = any(%(ids)s)
    order by c.purpose_id, c.channel, c.effective_at desc, c.weight desc, c.event_id desc
"""
_EVENTS = """
    select id, subject_ref, purpose_id, channel, state, effective_at, expires_at, via, proof, notice_id,
           separate, actor_id, recorded_at
    from consent_events
    where subject_ref = any(%(refs)s::bytea[]) and (%(after)s::uuid is null or id < %(after)s::uuid)
    order by id desc limit %(limit)s
"""
# Somebody who was merged counts as the one they are read through.
_COVERAGE = """
    with terms as (
        select purpose_id, max(major_version) as major_version from notices group by purpose_id
    ),
    told as (
        select distinct coalesce(l.survivor_id, c.subject_id) as person_id
        from consents c left join links l on l.customer_id = c.subject_id
        left join terms t on t.purpose_id = c.purpose_id
        where c.state = 'granted' and (c.expires_at is null or c.expires_at > %(now)s)
        and c.major_version >= coalesce(t.major_version, 0)
        and not exists (select from consents w where w.subject_id = c.subject_id
            and w.purpose_id = c.purpose_id and w.channel = '*' and w.state <> 'granted'
            and (w.effective_at, w.weight, w.event_id) > (c.effective_at, c.weight, c.event_id))
    )
    select count(*)::int as subjects, count(told.person_id)::int as covered
    from persons p left join links l on l.customer_id = p.person_id left join told using (person_id)
    where not p.deleted and l.survivor_id is null
"""

_UNLAWFUL_SENDS = "select count(*)::int as found from sends where fault <> ''"


def list_purposes(reader: Reader) -> list[Any]:
    """Rows of all purposes, by id."""
    return reader.rows(_PURPOSES)


def list_notices(reader: Reader, purpose_id: str) -> list[Any]:
    """Rows of the notices of a purpose, newest first; of all purposes for ""."""
    return reader.rows(_NOTICES, {"purpose": purpose_id})


def ids_of_person(reader: Reader, principal: Principal, subject_id: UUID) -> list[UUID] | None:
    """All ids of the person, merged ones too; None when the principal may not see them.

    Whoever sees everybody also sees persons not heard of yet.
    """
    condition, params = scope.predicate(principal, READ_CONSENTS, "p.owner_id", "p.collaborator_ids", OWN)
    if principal.scope_of(READ_CONSENTS) is not Scope.ALL:
        if not reader.rows(_SEEN + condition, {**params, "subject": subject_id}):
            return None
    return [row.id for row in reader.rows(_IDS, {"subject": subject_id})]


def get_consents(reader: Reader, ids: list[UUID], now: datetime) -> list[Any]:
    """Rows of what a person wishes now, by purpose and channel."""
    return reader.rows(_CONSENTS, {"ids": ids, "now": now})


def list_consent_events(reader: Reader, refs: list[bytes], after: UUID | None, limit: int) -> list[Any]:
    """Rows of the ledger, newest first, from the one that comes after the id `after`."""
    return reader.rows(_EVENTS, {"refs": refs, "after": after, "limit": limit})


def coverage(reader: Reader, now: datetime) -> Any:
    """A row: how many persons there are, and how many of them have a wish on record that is valid."""
    [row] = reader.rows(_COVERAGE, {"now": now})
    return row


def count_unlawful_sends(reader: Reader) -> int:
    """How many messages were found that might not go out."""
    [row] = reader.rows(_UNLAWFUL_SENDS)
    return int(row.found)
