"""Taking over what other services tell: of each thing the newest version, in whatever order it is heard."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.engine import run_on

# Links are told flattened: a survivor is never linked itself.
_LINKS = """
    insert into links (customer_id, survivor_id, version)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        customer_id uuid, survivor_id uuid, version int)
    on conflict (customer_id) do update set survivor_id = excluded.survivor_id, version = excluded.version
    where links.version < excluded.version
"""


class _Link(NamedTuple):
    customer_id: UUID
    survivor_id: UUID | None
    version: int


def take_over(session: Session, sql: str, told: Iterable[Any], *key: str) -> None:
    """Runs `sql`, which stores what is newer than what is held, for all rows at once.

    Rows are dataclasses or named tuples with a `version`, one thing to a `key`; `sql` finds them in %(told)s,
    a list of JSON. One statement can't touch a row twice, so that of a thing told twice the newer stays;
    keys come in order, so that two that take over the same things wait for each other and never in a circle.
    """
    newest: dict[tuple[Any, ...], Any] = {}
    for row in told:
        name = tuple(getattr(row, field) for field in key)
        held = newest.get(name)
        if held is None or held.version < row.version:
            newest[name] = row
    if newest:
        rows = [_fields(newest[name]) for name in sorted(newest)]
        run_on(session.connection(), (sql, {"told": json.dumps(rows, default=str)}))


def take_links(session: Session, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
    """Takes over the (customer id, survivor id, version) links that are newer than those held."""
    take_over(session, _LINKS, map(_Link._make, told), "customer_id")


def _fields(row: Any) -> dict[str, Any]:
    return dict(row._asdict() if hasattr(row, "_asdict") else vars(row))
