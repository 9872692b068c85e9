"""Set-based upsert of copies of ERP records: one statement a batch, the greater source version wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from kernel.pure.ids import new_id
from sales.domain.erp_record import ErpId, Kept

# Rows are locked in the order of their external ids, so that concurrent batches can't deadlock. A row
# known to be as new is not even locked; one that another transaction is changing is looked at again
# when that transaction has ended (the last where).
_UPSERT = """
with given as (
    select * from unnest({arrays}) as g(id, {columns})
), written as (
    insert into {table} as held (id, version, updated_at, {columns})
    select g.id, 1, %(now)s, {given}
    from given g left join {table} t on t.source = g.source and t.value = g.value
    where t.id is null or t.source_version < g.source_version
    order by g.source, g.value
    on conflict (source, value) do update
    set version = held.version + 1, updated_at = excluded.updated_at, {assignments}
    where held.source_version < excluded.source_version
    returning held.id, held.source, held.value, held.version
)
select g.source, g.value, coalesce(w.id, t.id) as id, coalesce(w.version, t.version) as version,
       w.id is not null as changed
from given g
left join written w on w.source = g.source and w.value = g.value
left join {table} t on t.source = g.source and t.value = g.value
"""
_HELD = """
select t.source, t.value, t.id, t.version, false as changed
from {table} t join unnest(%(source)s::text[], %(value)s::text[]) as g(source, value)
  on t.source = g.source and t.value = g.value
"""
_KEY = ("source", "value")


class ErpTable:
    """A table of ERP records: id, version and updated_at are ours, the other columns are the ERP's."""

    def __init__(self, table: str, columns: Mapping[str, str]) -> None:
        """`columns`: the ERP's columns and their types, source, value and source_version among them."""
        self._columns = tuple(columns)
        self._upsert = _UPSERT.format(
            table=table,
            columns=", ".join(columns),
            given=", ".join(f"g.{name}" for name in columns),
            arrays=", ".join(
                ["%(id)s::uuid[]", *(f"%({name})s::{kind}[]" for name, kind in columns.items())]
            ),
            assignments=", ".join(f"{name} = excluded.{name}" for name in columns if name not in _KEY),
        )
        self._held = _HELD.format(table=table)

    def upsert(self, session: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[ErpId, Kept]:
        """Stores the rows that are newer than what is held; answers for each of them.

        `rows` are sorted by (source, value), which differ.
        """
        if not rows:
            return {}
        arrays: dict[str, Any] = {name: [row[name] for row in rows] for name in self._columns}
        arrays["id"] = [new_id() for _ in rows]
        arrays["now"] = now
        connection = session.connection()
        answered = connection.exec_driver_sql(self._upsert, arrays).all()
        unseen = [row for row in answered if row.id is None]
        if unseen:
            # Inserted by another transaction after our statement began, as new as ours or newer.
            keys = {"source": [row.source for row in unseen], "value": [row.value for row in unseen]}
            answered = [row for row in answered if row.id is not None]
            answered += connection.exec_driver_sql(self._held, keys).all()
        return {ErpId(row.source, row.value): Kept(row.id, row.version, row.changed) for row in answered}
