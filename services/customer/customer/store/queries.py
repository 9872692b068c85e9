"""The read side: one statement an answer, scoped to what the principal may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from customer.domain.errors import CustomerNotFound
from customer.store.deal_queries import WON, WON_THEN
from kernel.pure.clock import year_before
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal, PrincipalKind
from kernel.sql import scope
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader
from kernel.sql.subjects import SubjectRestricted

READ = "customer.customers.read"
# Shows in clear what everybody else sees masked.
READ_PERSONAL = "customer.personal.read"
# Shows those whose data is restricted, to whom everybody else is refused.
READ_RESTRICTED = "customer.restricted.read"
# The tables a sealed document belongs to; part of what its seal is bound to.
SEALED_IN = "customers"
VERSIONS_SEALED_IN = "customer_versions"

# The customer that %(id)s is read through: itself, unless it was merged into another.
STANDING = "coalesce((select link.survivor_id from customers link where link.id = %(id)s), %(id)s)"
_CUSTOMER = f"""
    select c.id, c.version, c.kind, c.owner_id, c.sealed, c.company, c.source_channel, c.industry,
           c.province, c.city, c.tags, c.collaborator_ids, c.created_at, c.updated_at, c.deleted_at,
           c.initial, c.survivor_id,
           (select true from customers a where a.survivor_id = c.id limit 1) as absorbs,
           array(select array[e.source, e.value] from external_ids e
                 where e.customer_id = c.id) as external_ids,
           (select json_agg(json_build_array(k.scheme, k.scheme_version, k.class, k.review_on,
                                             extract(epoch from k.since)))
            from classes k where k.customer_id = c.id and k.class <> '') as classes,
           {WON} as won
"""
# A page of the customers within reach, by their owners and by those who work on them beside the owner, each
# from its own index: with "or", the database would read the customers of everybody.
_PAGE_IN_REACH = """
    c.id in ((select c.id from customers c where c.owner_id {owners} and {condition} {tail})
             union all
             (select c.id from customers c where c.collaborator_ids <> '{{}}'
              and c.collaborator_ids @> array[%(scope_user)s] and {condition} {tail}))
"""
# The row of customers by which a customer in the portal is read.
_OWN = """{customer}.id = (select coalesce(me.survivor_id, me.id) from customers me
                      where me.id = %(scope_customer)s)"""
# A version in the shape of a customer, with the classes it had then. Who may see it is decided by who
# the customer belongs to now, or the one that it was merged into.
_AS_OF = f"""
    select c.id, v.version, c.kind, (v.profile->>'owner_id')::uuid as owner_id, v.sealed,
           nullif(v.profile->'company', 'null') as company, v.profile->>'source_channel' as source_channel,
           v.profile->>'industry' as industry, v.profile->>'province' as province, v.profile->>'city' as city,
           array(select jsonb_array_elements_text(v.profile->'tags')) as tags,
           array(select jsonb_array_elements_text(v.profile->'collaborator_ids')) as collaborator_ids,
           c.created_at, v.at as updated_at, (v.profile->>'deleted_at')::timestamptz as deleted_at,
           (select case when not m.undone then m.survivor_id end from merges m
            where m.absorbed_id = c.id and m.at <= %(at)s order by m.id desc limit 1) as survivor_id,
           false as absorbs,
           array(select array[e->>0, e->>1] from jsonb_array_elements(v.profile->'external_ids') e)
               as external_ids,
           (select jsonb_agg(jsonb_build_array(k.scheme, 0, k.class, null, extract(epoch from k.at))
                             order by k.scheme)
            from (select distinct on (scheme) scheme, class, at from class_changes
                  where customer_id = c.id and at <= %(at)s order by scheme, at desc, id desc) k
            where k.class <> '') as classes,
           {WON_THEN} as won
"""
_VERSION_THEN = """
    from customers c
    join customers s on s.id = coalesce(c.survivor_id, c.id)
    join lateral (select * from customer_versions
                  where customer_id = c.id and at <= %(at)s order by version desc limit 1) v on true
    where c.id = any(%(ids)s) and s.deleted_at is null
"""
# Who was merged into %(id)s at an instant, directly or through others.
_MERGED_THEN = """
    with recursive tree as (
        select %(id)s::uuid as id
        union
        select m.absorbed_id from tree join merges m on m.survivor_id = tree.id
        where not m.undone and m.at <= %(at)s
              and not exists (select from merges later where later.absorbed_id = m.absorbed_id
                              and later.id > m.id and later.at <= %(at)s)
    )
    select id from tree where id <> %(id)s
"""
_VERSIONS = """
    select v.version, v.at, v.actor_id, v.action, v.changed_fields
    from customers c
    join customers s on s.id = coalesce(c.survivor_id, c.id)
    join customer_versions v on v.customer_id = c.id
    where c.id = %(id)s and s.deleted_at is null and v.version < %(before)s
"""
# The customer %(id)s and all that were merged into it.
_MEMBERS = "select %(id)s::uuid as id union all select id from customers where survivor_id = %(id)s"
_PURCHASES = f"""
    select count(*) as order_count, coalesce(sum(base_amount), 0) as total,
           count(*) filter (where in_year) as year_order_count,
           coalesce(sum(base_amount) filter (where in_year), 0) as year_total,
           min(ordered_on) as first_on, max(ordered_on) as last_on
    from (select base_amount, ordered_on, ordered_on > %(year_before)s and ordered_on <= %(today)s as in_year
          from orders where customer_id = any(array({_MEMBERS})) and status <> 'cancelled'
            and ordered_on <= %(today)s) as counted
"""
# The newest of each first: so many are read, however many there are.
_RECENT_ORDERS = f"""
    select o.order_id, o.ordered_on, o.base_amount, o.status
    from ({_MEMBERS}) as member
    cross join lateral (select * from orders where customer_id = member.id
                        order by ordered_on desc, order_id desc limit 20) o
    order by o.ordered_on desc, o.order_id desc limit 20
"""
_RESTRICTED = f"""
    select from customers c where c.id = {STANDING} and c.deleted_at is null and c.restricted
"""
_SCHEMES = "select distinct on (id) id, version, title, rules from schemes order by id, version desc"


def predicate(principal: Principal, permission: str, customer: str = "c") -> tuple[str, dict[str, Any]]:
    """kernel.sql.scope.predicate of a row of customers whose data may be used; `customer` is its name in
    the statement."""
    reached, params = _scope(principal, permission, customer)
    return f"({reached} and {_usable(principal, customer)})", params


def refusal(reader: Reader, principal: Principal, permission: str, customer_id: UUID) -> CrmError:
    """Why a customer is not found: because its data is restricted, or there is none in reach."""
    in_scope, params = _scope(principal, permission, "c")
    found = reader.row(f"{_RESTRICTED} and {in_scope}", {"id": customer_id, **params})
    return CustomerNotFound(id=customer_id) if found is None else SubjectRestricted()


def _scope(principal: Principal, permission: str, customer: str) -> tuple[str, dict[str, Any]]:
    return scope.predicate(
        principal,
        permission,
        f"{customer}.owner_id",
        f"{customer}.collaborator_ids",
        _OWN.format(customer=customer),
    )


def _usable(principal: Principal, customer: str) -> str:
    """The condition that the data of a customer may be used; the officer sees what rests, too."""
    officer = principal.kind is not PrincipalKind.SERVICE and principal.scope_of(READ_RESTRICTED) is not None
    return "true" if officer else f"not {customer}.restricted"


def select_customers(
    reader: Reader, principal: Principal, condition: str, params: Mapping[str, Any], tail: str = ""
) -> list[Any]:
    """Rows of customers in scope that fit a condition on `c`; `tail` orders and limits them. Both
    are constants of the program.

    Every read of customers goes through here, so that none forgets the scope. `clear` of a row says
    whether the principal may see its personal fields whole.
    """
    in_scope, scope_params = predicate(principal, READ)
    clear, clear_params = predicate(principal, READ_PERSONAL)
    owners = scope.owners(principal, READ)
    if tail and owners:
        usable = f"{condition} and {_usable(principal, 'c')}"
        condition = _PAGE_IN_REACH.format(owners=owners, condition=usable, tail=tail)
    sql = f"{_CUSTOMER}, {clear} as clear from customers c where {in_scope} and {condition} {tail}"
    return reader.rows(sql, {**params, **scope_params, **clear_params})


def get_customer(reader: Reader, principal: Principal, customer_id: UUID) -> Any | None:
    """The row of one customer, or of the one that it was merged into; None when there is none, it is
    deleted or it is out of scope."""
    condition = f"c.id = {STANDING} and c.deleted_at is null"
    found = select_customers(reader, principal, condition, {"id": customer_id})
    return found[0] if found else None


def just_written(reader: Reader, principal: Principal, customer_id: UUID) -> Any:
    """The row of a customer that the principal has changed in this transaction, deleted or given away
    perhaps. `reader` is that of the unit of work."""
    clear, params = predicate(principal, READ_PERSONAL)
    sql = f"{_CUSTOMER}, {clear} as clear from customers c where c.id = %(id)s"
    return reader.row(sql, {**params, "id": customer_id})


def get_customer_as_of(reader: Reader, principal: Principal, customer_id: UUID, at: datetime) -> Any | None:
    """The row of a customer as it was itself at an instant, not read through its survivor; None like
    get_customer, or when it was not there yet."""
    rows = _as_of(reader, principal, [customer_id], at)
    return rows[0] if rows else None


def absorbed_as_of(reader: Reader, principal: Principal, customer_id: UUID, at: datetime) -> list[Any]:
    """Rows like those of get_customer_as_of of the customers that were read through this one at an instant,
    oldest first. One that was taken out since and is out of scope now is left out."""
    ids = [row.id for row in reader.rows(_MERGED_THEN, {"id": customer_id, "at": at})]
    return _as_of(reader, principal, ids, at) if ids else []


def _as_of(reader: Reader, principal: Principal, customer_ids: Sequence[UUID], at: datetime) -> list[Any]:
    in_scope, scope_params = predicate(principal, READ, "s")
    clear, clear_params = predicate(principal, READ_PERSONAL, "s")
    sql = f"{_AS_OF}, {clear} as clear {_VERSION_THEN} and {in_scope} order by c.id"
    return reader.rows(sql, {"ids": list(customer_ids), "at": at, **scope_params, **clear_params})


def list_versions(
    reader: Reader, principal: Principal, customer_id: UUID, before: int, limit: int
) -> list[Any]:
    """Rows of a customer's versions below `before`, newest first; none when it is not to be seen."""
    in_scope, params = predicate(principal, READ, "s")
    sql = f"{_VERSIONS} and {in_scope} order by v.version desc limit %(limit)s"
    return reader.rows(sql, {"id": customer_id, "before": before, "limit": limit, **params})


def open_documents(sealer: Sealer, rows: Sequence[Any]) -> list[dict[str, Any] | None]:
    """The personal documents of a page of rows; None for companies and for persons whose keys are gone."""
    return sealer.open_page(SEALED_IN, [(row.id, row.id, row.sealed) for row in rows])


def open_version(sealer: Sealer, row: Any) -> dict[str, Any] | None:
    """The personal document of a row of get_customer_as_of."""
    page = sealer.open_page(VERSIONS_SEALED_IN, [(f"{row.id}/{row.version}", row.id, row.sealed)])
    return page[0]


def get_purchases(reader: Reader, customer_id: UUID, today: date) -> Any:
    """The sums over the orders of a customer and of those merged into it; the scope was checked."""
    params = {"id": customer_id, "today": today, "year_before": year_before(today)}
    return reader.row(_PURCHASES, params)


def recent_orders(reader: Reader, customer_id: UUID) -> Sequence[Any]:
    """The newest 20 orders of a customer and of those merged into it; the scope was checked."""
    return reader.rows(_RECENT_ORDERS, {"id": customer_id})


def list_schemes(reader: Reader) -> list[Any]:
    """The newest version of each scheme."""
    return reader.rows(_SCHEMES)
