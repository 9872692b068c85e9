"""Survivors with what those that they absorbed know: as they are read, and as they are filtered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from customer.domain.merging import composed
from customer.store.queries import SEALED_IN, open_version
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader
from kernel.sql.prepared import Statement

_ABSORBED = """
    select c.survivor_id, c.id, c.sealed, c.company, c.source_channel, c.industry, c.province, c.city, c.tags,
           array(select array[e.source, e.value] from external_ids e where e.customer_id = c.id
                 order by e.source, e.value) as external_ids
    from customers c where c.survivor_id = any(%(ids)s) order by c.id
"""
# The columns by which survivors are filtered, of clear texts and tags.
_TEXTS = ("source_channel", "industry", "province", "city")
_FIRST = """
    coalesce((array_agg(m.{0} order by m.survivor_id is not null, m.id) filter (where m.{0} <> ''))[1], '')
"""
_COMPOSED = ", ".join("composed_" + text for text in _TEXTS)
_FIRSTS = ", ".join("case when count(*) > 1 then " + _FIRST.format(text) + " end" for text in _TEXTS)
_KEEP = f"""
    update customers s
    set ({_COMPOSED}) = (
            select {_FIRSTS} from customers m where m.id = s.id or m.survivor_id = s.id),
        composed_tags = (
            select case when count(distinct m.id) > 1
                        then coalesce(array_agg(distinct tag) filter (where tag is not null), '{{}}') end
            from customers m left join unnest(m.tags) tag on true
            where m.id = s.id or m.survivor_id = s.id)
    where s.id = any(%(ids)s)
"""
_KEEP_OF_SURVIVORS = f"{_KEEP} and exists (select from customers a where a.survivor_id = s.id)"
# Besides the document of a person or company, these are shown of the absorbed ones too.
_SHOWN = ("source_channel", "industry", "province", "city", "tags", "external_ids")


def keep_composed(connection: Connection, customer_ids: Collection[UUID]) -> None:
    """Keeps what these customers are filtered by, after links of theirs have changed."""
    connection.exec_driver_sql(_KEEP, {"ids": list(customer_ids)})


def keeping_edited(customer_id: UUID) -> Statement:
    """The same after a customer was edited, as a statement: only survivors differ from what they hold
    themselves."""
    return _KEEP_OF_SURVIVORS, {"ids": [customer_id]}


def compose(
    reader: Reader, sealer: Sealer, rows: Sequence[Any], documents: Sequence[dict[str, Any] | None]
) -> tuple[list[Any], list[dict[str, Any] | None]]:
    """Rows of survivors and their personal documents, with what those that they absorbed know.

    `rows` are named tuples with id, company and what a customer shows in clear; a document is None
    for a company, for a person whose key is gone, or where none is wanted: it stays None.
    """
    absorbed = reader.rows(_ABSORBED, {"ids": [row.id for row in rows]}) if rows else []
    if not absorbed:
        return list(rows), list(documents)
    wanted = {row.id for row, document in zip(rows, documents, strict=True) if document is not None}
    opened = sealer.open_page(
        SEALED_IN, [(r.id, r.id, r.sealed if r.survivor_id in wanted else None) for r in absorbed]
    )
    parts: dict[UUID, list[tuple[Any, dict[str, Any] | None]]] = {}
    for row, document in zip(absorbed, opened, strict=True):
        parts.setdefault(row.survivor_id, []).append((row, document))
    pairs = [
        _composed(row, document, parts.get(row.id, ())) for row, document in zip(rows, documents, strict=True)
    ]
    return [row for row, _ in pairs], [document for _, document in pairs]


def compose_past(sealer: Sealer, row: Any, absorbed: Sequence[Any]) -> tuple[Any, dict[str, Any] | None]:
    """A row of get_customer_as_of, opened, with what those know who were read through it then."""
    parts = [(part, open_version(sealer, part)) for part in absorbed]
    return _composed(row, open_version(sealer, row), parts)


def _composed(
    row: Any, document: dict[str, Any] | None, parts: Sequence[tuple[Any, dict[str, Any] | None]]
) -> tuple[Any, dict[str, Any] | None]:
    if not parts:
        return row, document
    members = [row, *(part for part, _ in parts)]
    shown = composed([{name: getattr(member, name) for name in _SHOWN} for member in members])
    if row.company is not None:
        shown["company"] = composed([member.company for member in members])
    if document is not None:
        document = composed([document, *(known for _, known in parts if known is not None)])
    return row._replace(**shown), document
