"""Customers in the database: persons sealed, companies in clear."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.customer import Company, Customer, ExternalId, Person, Profile
from customer.domain.errors import CustomerNotFound
from customer.store.composing import keeping_edited
from customer.store.history import History
from customer.store.indexing import IndexEntry, Indexer
from customer.store.queries import SEALED_IN, STANDING, predicate, refusal
from customer.usecases.ports import PURGE, Holder
from kernel.pure.grants import Principal, Scope
from kernel.sql import scope, timers
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.prepared import Statement
from kernel.sql.uow import OpenReader

_COLUMNS = """
    id, version, kind, owner_id, sealed, company, source_channel, industry, province, city, tags,
    collaborator_ids, deleted_at
"""
_INSERT = f"""
    insert into customers ({_COLUMNS}, initial, name_tokens, match_keys, created_at, updated_at)
    values (%(id)s, %(version)s, %(kind)s, %(owner_id)s, %(sealed)s, %(company)s::jsonb, %(source_channel)s,
            %(industry)s, %(province)s, %(city)s, %(tags)s::text[], %(collaborator_ids)s::uuid[],
            %(deleted_at)s, %(initial)s, %(name_tokens)s::bigint[], %(match_keys)s::bigint[],
            %(now)s, %(now)s)
"""
_UPDATE = """
    update customers
    set version = %(version)s, owner_id = %(owner_id)s, sealed = %(sealed)s, company = %(company)s::jsonb,
        source_channel = %(source_channel)s, industry = %(industry)s, province = %(province)s,
        city = %(city)s, tags = %(tags)s::text[], collaborator_ids = %(collaborator_ids)s::uuid[],
        deleted_at = %(deleted_at)s, initial = %(initial)s, name_tokens = %(name_tokens)s::bigint[],
        match_keys = %(match_keys)s::bigint[], updated_at = %(now)s
    where id = %(id)s
"""
# The keys of a page of customers are sorted, so that two transactions meet them in one order.
_INSERT_MATCH_KEYS = """
    insert into match_keys (key, customer_id)
    select * from unnest(%(keys)s::bigint[], %(ids)s::uuid[]) as given (key, customer_id) order by 1, 2
"""
_LEND = f"select {_COLUMNS} from customers c where id = {STANDING} and survivor_id is null"
_LOCK = "for no key update"
_SAVEPOINT, _ROLLBACK = ("savepoint lent", ()), ("rollback to lent", ())
_OF = f"select {_COLUMNS} from customers where id = any(%(ids)s)"
_ABSORBED = f"select {_COLUMNS} from customers where survivor_id = %(id)s order by id"
_EXTERNAL_IDS = "select customer_id, source, value from external_ids where customer_id = any(%(ids)s)"
_FORGET_EXTERNAL_IDS = "delete from external_ids where customer_id = %s"
# Found by the keys: there is no index by customer.
_FORGET_MATCH_KEYS = """
    delete from match_keys m
    using (select id, unnest(match_keys) as key from customers where id = any(%(ids)s)) as own
    where m.key = own.key and m.customer_id = own.id
"""
# Those of these customers that are deleted, and all that were merged into them.
_DOOMED = """
    select id from customers
    where coalesce(survivor_id, id) in (select id from customers where id = any(%(ids)s)
                                        and deleted_at is not null)
    order by id for update
"""
_PURGE = (
    _FORGET_MATCH_KEYS,
    "delete from external_ids where customer_id = any(%(ids)s)",
    "delete from classes where customer_id = any(%(ids)s)",
    "delete from class_changes where customer_id = any(%(ids)s)",
    "delete from customer_versions where customer_id = any(%(ids)s)",
    "delete from interactions where customer_id = any(%(ids)s)",
    "delete from tickets where customer_id = any(%(ids)s)",
    "delete from relations where from_id = any(%(ids)s) or to_id = any(%(ids)s)",
    "delete from customers where id = any(%(ids)s)",
)
_INSERT_EXTERNAL_ID = "insert into external_ids (source, value, customer_id) values (%s, %s, %s)"
# Two transactions that bring the same external id wait for each other here. A lock stands for many ids, so
# that a batch of thousands does not fill the database's table of locks. The number spells "extn".
_LOCK_EXTERNAL_IDS = """
    select pg_advisory_xact_lock(1702392942, bucket)
    from (select distinct hashtext(source || e'\\x1f' || value) & 1023 as bucket
          from unnest(%(sources)s::text[], %(values)s::text[]) as wanted (source, value) order by 1) as held
"""
_HOLDERS = """
    select e.source, e.value, e.customer_id, {reached} as within_reach, staff.team_id
    from external_ids e
    join unnest(%(sources)s::text[], %(values)s::text[]) as wanted (source, value) using (source, value)
    join customers c on c.id = e.customer_id
    join customers s on s.id = coalesce(c.survivor_id, c.id)
    left join staff on staff.user_id = s.owner_id
"""


class CustomerRepository:
    def __init__(
        self,
        session: Session,
        principal: Principal,
        sealer: Sealer,
        indexer: Indexer,
        history: History,
        now: datetime,
    ) -> None:
        self._session = session
        self._connection = session.connection
        self._statements = OpenReader(session)
        self._principal = principal
        self._sealer = sealer
        self._indexer = indexer
        self._history = history
        self._now = now

    def add(self, customers: Sequence[Customer]) -> None:
        entries = {customer.id: self._indexer.entry(customer.profile) for customer in customers}
        # All on one way to the database and back.
        self._statements.run(
            *((_INSERT, row) for row in self._rows(customers, entries)),
            *_external_ids(customers),
            _match_keys(entries),
            *self._history.appending(customers, "create"),
        )

    def reaches(self, owner_id: UUID, permission: str) -> bool:
        if self._principal.scope_of(permission) is Scope.ALL:
            return True
        condition, params = scope.predicate(self._principal, permission, "wanted.owner_id")
        sql = f"select true from (select %(owner)s::uuid as owner_id) wanted where {condition}"
        return self._connection().exec_driver_sql(sql, {"owner": owner_id, **params}).first() is not None

    def holders(self, external_ids: Collection[ExternalId], permission: str) -> dict[ExternalId, Holder]:
        if not external_ids:
            return {}
        wanted = sorted(external_ids)
        params: dict[str, Any] = {
            "sources": [e.source for e in wanted],
            "values": [e.value for e in wanted],
        }
        reached, scope_params = scope.predicate(
            self._principal, permission, "s.owner_id", "s.collaborator_ids"
        )
        _, found = self._statements.run(
            (_LOCK_EXTERNAL_IDS, params), (_HOLDERS.format(reached=reached), {**params, **scope_params})
        )
        return {
            ExternalId(row.source, row.value): Holder(row.customer_id, row.within_reach, row.team_id)
            for row in found
        }

    def lend(self, customer_id: UUID, permission: str, *, deleted: bool = False) -> Customer:
        in_reach, params = predicate(self._principal, permission)
        params["id"] = customer_id
        if deleted:
            # Before the customer: a timer that fires holds its row before it comes here.
            timers.hold(self._session, PURGE, [str(customer_id)])
        self._session.flush()
        # A customer that is merged while this waits for it is found through its survivor next time; it is
        # let go first, for the survivor may have to be locked before it.
        for _ in range(2):
            _, rows = self._statements.run(_SAVEPOINT, (f"{_LEND} and {in_reach} {_LOCK}", params))
            if rows:
                if rows[0].deleted_at is not None and not deleted:
                    break
                [customer] = self._customers(rows)
                return customer
            self._statements.run(_ROLLBACK)
        raise refusal(OpenReader(self._session), self._principal, permission, customer_id)

    def absorbed(self, survivor_id: UUID) -> list[Customer]:
        rows = self._connection().exec_driver_sql(_ABSORBED, {"id": survivor_id}).all()
        return self._readable(rows)

    def keep_versions(self, customer_ids: Collection[UUID], action: str) -> None:
        rows = self._connection().exec_driver_sql(_OF, {"ids": list(customer_ids)}).all()
        self._history.append(self._customers(rows), action)

    def save(self, customer: Customer, action: str, changed_fields: Collection[str] = ()) -> None:
        entries = {customer.id: self._indexer.entry(customer.profile)}
        self._statements.run(
            (_FORGET_EXTERNAL_IDS, (customer.id,)),
            (_FORGET_MATCH_KEYS, {"ids": [customer.id]}),
            *((_UPDATE, row) for row in self._rows([customer], entries)),
            keeping_edited(customer.id),
            *_external_ids([customer]),
            _match_keys(entries),
            *self._history.appending([customer], action, changed_fields),
        )

    def purge(self, customer_ids: Collection[UUID]) -> list[UUID]:
        wanted = {"ids": list(customer_ids)}
        doomed = list(self._connection().exec_driver_sql(_DOOMED, wanted).scalars())
        for statement in _PURGE if doomed else ():
            self._connection().exec_driver_sql(statement, {"ids": doomed})
        return doomed

    def _customers(self, rows: Sequence[Any]) -> list[Customer]:
        """The customers in rows of _COLUMNS. Raises CustomerNotFound for a person whose key is gone."""
        customers = self._readable(rows)
        readable = {customer.id for customer in customers}
        for row in rows:
            if row.id not in readable:
                raise CustomerNotFound(id=row.id)
        return customers

    def _readable(self, rows: Sequence[Any]) -> list[Customer]:
        """The customers in rows of _COLUMNS, without persons whose key is gone."""
        if not rows:
            return []
        found = self._connection().exec_driver_sql(_EXTERNAL_IDS, {"ids": [row.id for row in rows]})
        known: dict[UUID, list[ExternalId]] = {}
        for customer_id, source, value in found:
            known.setdefault(customer_id, []).append(ExternalId(source, value))
        documents = self._sealer.open_page(SEALED_IN, [(row.id, row.id, row.sealed) for row in rows])
        return [
            _customer(row, document, known.get(row.id, ()))
            for row, document in zip(rows, documents, strict=True)
            if row.kind == "company" or document is not None
        ]

    def _rows(
        self, customers: Sequence[Customer], entries: Mapping[UUID, IndexEntry]
    ) -> list[dict[str, Any]]:
        persons = [c for c in customers if isinstance(c.profile.details, Person)]
        documents = [(c.id, c.id, c.profile.details.document()) for c in persons]
        sealed = dict(zip((c.id for c in persons), self._sealer.seal_many(SEALED_IN, documents), strict=True))
        return [
            {**self._row(customer, sealed.get(customer.id)), **vars(entries[customer.id])}
            for customer in customers
        ]

    def _row(self, customer: Customer, sealed: bytes | None) -> dict[str, Any]:
        profile = customer.profile
        company = profile.details.document() if isinstance(profile.details, Company) else None
        return {
            "id": customer.id,
            "version": customer.version,
            "kind": profile.kind,
            "owner_id": customer.owner_id,
            "sealed": sealed,
            "company": json.dumps(company, ensure_ascii=False) if company else None,
            "source_channel": profile.source_channel,
            "industry": profile.industry,
            "province": profile.province,
            "city": profile.city,
            "tags": list(profile.tags),
            "collaborator_ids": list(profile.collaborator_ids),
            "deleted_at": customer.deleted_at,
            "now": self._now,
        }


def _external_ids(customers: Sequence[Customer]) -> list[Statement]:
    return [
        (_INSERT_EXTERNAL_ID, (known.source, known.value, customer.id))
        for customer in customers
        for known in customer.profile.external_ids
    ]


def _match_keys(entries: Mapping[UUID, IndexEntry]) -> Statement:
    pairs = [(key, customer_id) for customer_id, entry in entries.items() for key in entry.match_keys]
    return _INSERT_MATCH_KEYS, {
        "keys": [key for key, _ in pairs],
        "ids": [customer_id for _, customer_id in pairs],
    }


def _customer(row: Any, document: dict[str, Any] | None, external_ids: Collection[ExternalId]) -> Customer:
    details = Company.of(row.company) if document is None else Person.of(document)
    return Customer(
        id=row.id,
        version=row.version,
        owner_id=row.owner_id,
        deleted_at=row.deleted_at,
        profile=Profile(
            details=details,
            external_ids=tuple(sorted(external_ids)),
            owner_id=row.owner_id,
            source_channel=row.source_channel,
            industry=row.industry,
            province=row.province,
            city=row.city,
            tags=tuple(row.tags),
            collaborator_ids=tuple(row.collaborator_ids),
        ),
    )
