"""How customers are addressed and reached, read through their survivors, and who has an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from customer.store.composing import compose
from customer.store.queries import SEALED_IN
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

MOST_FOUND = 20

_STANDING = """
    select a.id as asked_id, s.id, s.kind, s.sealed, s.company, s.source_channel, s.industry, s.province,
           s.city, s.tags, '{}'::text[] as external_ids, s.deleted_at, s.restricted
    from unnest(%(ids)s::uuid[]) with ordinality as asked (id, place)
    join customers a on a.id = asked.id join customers s on s.id = coalesce(a.survivor_id, a.id)
    order by asked.place
"""
_KEYED = f"""
    select distinct s.id
    from match_keys m join customers c on c.id = m.customer_id
    join customers s on s.id = coalesce(c.survivor_id, c.id)
    where m.key = %(key)s and s.deleted_at is null
    order by s.id limit {MOST_FOUND}
"""
_GROUP = """
    with root as (select coalesce(survivor_id, id) as id from customers where id = %(id)s)
    select c.id, c.kind, root.id as survivor_id from root join customers c on c.id = root.id
    union all
    select c.id, c.kind, root.id from root join customers c on c.survivor_id = root.id
    order by id
"""
_SEALED = "select id, sealed from customers where id = any(%(ids)s) and sealed is not null order by id"


@dataclass(frozen=True)
class Contact:
    """`customer_id` as asked for; without name and addresses when `restricted` or `deleted`, which the
    erased are too."""

    customer_id: UUID
    survivor_id: UUID
    full_name: str = ""
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    restricted: bool = False
    deleted: bool = False


def contacts(reader: Reader, sealer: Sealer, customer_ids: Sequence[UUID]) -> list[Contact]:
    """The contacts of those that exist, in the order asked for."""
    rows = reader.rows(_STANDING, {"ids": list(customer_ids)})
    told = [row for row in rows if row.deleted_at is None and not row.restricted]
    documents = sealer.open_page(SEALED_IN, [(row.id, row.id, row.sealed) for row in told])
    shown, documents = compose(reader, sealer, told, documents)
    known = {
        row.asked_id: row.company if row.company is not None else document
        for row, document in zip(shown, documents, strict=True)
    }
    return [_contact(row, known.get(row.asked_id)) for row in rows]


def having(reader: Reader, key: int) -> list[UUID]:
    """The customers that have a match key, or one merged into them has it, oldest first."""
    return [row.id for row in reader.rows(_KEYED, {"key": key})]


def group_of(reader: Reader, customer_id: UUID) -> list[Any]:
    """(id, kind, survivor_id) of a customer and of all that are one with it; none when it does not exist."""
    return reader.rows(_GROUP, {"id": customer_id})


def emails_of(reader: Reader, sealer: Sealer, customer_ids: Sequence[UUID]) -> list[str]:
    """All e-mail addresses of these people, sorted, whether or not they may be written to."""
    rows = reader.rows(_SEALED, {"ids": list(customer_ids)})
    documents = sealer.open_page(SEALED_IN, [(row.id, row.id, row.sealed) for row in rows])
    return sorted({email for document in documents for email in (document or {}).get("emails", ())})


def _contact(row: Any, known: dict[str, Any] | None) -> Contact:
    if known is None:
        return Contact(row.asked_id, row.id, restricted=row.restricted, deleted=_is_gone(row))
    return Contact(
        customer_id=row.asked_id,
        survivor_id=row.id,
        full_name=known.get("full_name") or known.get("name") or "",
        emails=known.get("emails", ()),
        phones=known.get("phones", ()),
    )


def _is_gone(row: Any) -> bool:
    """Deleted, or its key is gone."""
    return row.deleted_at is not None or not row.restricted
