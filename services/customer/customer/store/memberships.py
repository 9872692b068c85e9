"""Who belongs to which group: written by one process at a time only, the one that has the timer in hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.events import GroupMember
from customer.domain.groups import DELETED, READY, Group
from customer.store.group_rules import STANDS, Today, selection, watched
from customer.store.groups import group_of
from customer.usecases.ports import REVIEW_GROUPS
from kernel.pure.clock import day_start
from kernel.sql import timers
from kernel.sql.timers import Timer

_GROUPS = (
    "select id, version, name, description, expression, rule_version, state, after_id from groups order by id"
)
# Who was changed, and whom they are read through. Rows that others are still writing are not seen yet.
_TAKE = """
    with taken as (
        delete from regrouping where id in (select id from regrouping order by id limit %(limit)s)
        returning customer_id
    )
    select c.id from customers c where c.id in (select customer_id from taken)
    union
    select c.survivor_id from customers c
    where c.id in (select customer_id from taken) and c.survivor_id is not null
"""
_FOLLOWING = """
    select id from customers where %(after)s::uuid is null or id > %(after)s order by id limit %(limit)s
"""
_DECIDE = """
    insert into group_members as held (group_id, customer_id, member, version, rule_version, since)
    select decided.group_id, decided.customer_id, decided.fits, 1, decided.rule_version, %(now)s
    from (
        select c.id as customer_id, unnest(%(groups)s::uuid[]) as group_id,
               unnest(%(rule_versions)s::int[]) as rule_version, unnest(array[{conditions}]) as fits
        from customers c {joins}
        where c.id = any(%(ids)s)
    ) as decided
    left join group_members m using (group_id, customer_id)
    where coalesce(m.member, false) <> decided.fits
    on conflict (group_id, customer_id) do update
    set member = excluded.member, version = held.version + 1, rule_version = excluded.rule_version,
        since = excluded.since
    returning group_id, customer_id, member, version
"""
_COUNT_CHANGES = """
    update groups g set members = g.members + told.change
    from unnest(%(ids)s::uuid[], %(changes)s::int[]) as told (id, change) where g.id = told.id
"""
# Unless its definition was changed meanwhile: then its evaluation begins anew.
_GO_ON = """
    update groups set after_id = %(after)s, state = %(state)s
    where id = %(id)s and rule_version = %(rule_version)s and version = %(version)s
"""
_REMOVE = "delete from groups where id = %(id)s and state = 'deleted'"
_CHANGING = "select c.id, {columns} from customers c {joins} where c.id = any(%(ids)s) and " + STANDS


class MembershipRepository:
    def __init__(self, session: Session, now: datetime, today: Today) -> None:
        self._session = session
        self._connection = session.connection
        self._now = now
        self._today = today

    def groups(self) -> list[Group]:
        return [group_of(row) for row in self._connection().exec_driver_sql(_GROUPS)]

    def take_changed(self, limit: int) -> list[UUID]:
        return list(self._connection().exec_driver_sql(_TAKE, {"limit": limit}).scalars())

    def put_changed(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(
            "insert into regrouping (customer_id) select unnest(%(ids)s::uuid[])", {"ids": list(customer_ids)}
        )

    def following(self, after: UUID | None, limit: int) -> list[UUID]:
        found = self._connection().exec_driver_sql(_FOLLOWING, {"after": after, "limit": limit})
        return list(found.scalars())

    def decide(self, groups: Sequence[Group], customer_ids: Collection[UUID]) -> list[GroupMember]:
        chosen = selection([group.expression for group in groups], self._today)
        conditions = ", ".join(f"({STANDS} and {condition})" for condition in chosen.conditions)
        rows = self._connection().exec_driver_sql(
            _DECIDE.format(conditions=conditions, joins=chosen.joins),
            {
                **chosen.params,
                "groups": [group.id for group in groups],
                "rule_versions": [group.rule_version for group in groups],
                "ids": list(customer_ids),
                "now": self._now,
            },
        )
        changed = [GroupMember(*row) for row in rows]
        self._count(changed)
        return changed

    def go_on(self, group: Group, after: UUID | None) -> None:
        params = {
            "id": group.id,
            "version": group.version,
            "rule_version": group.rule_version,
            "after": after,
            "state": group.state if after else READY,
        }
        if after is None and group.state == DELETED:
            self._connection().exec_driver_sql(_REMOVE, params)
        else:
            self._connection().exec_driver_sql(_GO_ON, params)

    def review(self, groups: Sequence[Group], customer_ids: Collection[UUID]) -> None:
        moments = watched([group.expression for group in groups])
        if not moments or not customer_ids:
            return
        columns, joins = moments.query()
        rows = self._connection().exec_driver_sql(
            _CHANGING.format(columns=columns, joins=joins),
            {**self._today.params(), "ids": list(customer_ids)},
        )
        due: Mapping[UUID, date | None] = {
            **dict.fromkeys(customer_ids),
            **{row.id: moments.next_change(row, self._today.day) for row in rows},
        }
        zone = self._today.zone
        wanted = [Timer(REVIEW_GROUPS, str(i), day_start(day, zone)) for i, day in due.items() if day]
        timers.schedule(self._session, wanted)
        timers.cancel(self._session, REVIEW_GROUPS, [str(i) for i, day in due.items() if day is None])

    def _count(self, changed: Sequence[GroupMember]) -> None:
        changes: dict[UUID, int] = {}
        for change in changed:
            changes[change.group_id] = changes.get(change.group_id, 0) + (1 if change.member else -1)
        if changes:
            params = {"ids": list(changes), "changes": list(changes.values())}
            self._connection().exec_driver_sql(_COUNT_CHANGES, params)
