"""What stands in each column of a customer's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from customer.domain.customer import NOBODY
from customer.domain.exporting.fields import EXTERNAL_ID
from customer.domain.exporting.forms import Cell

# (a customer as queries read it, its personal document) -> the cell.
_Take = Callable[[Any, Mapping[str, Any]], Cell]
_NOTHING: Mapping[str, Any] = {}
# Are lists in a document, also when they are missing.
_MANY = ("phones", "emails")


def plan(names: Sequence[str], source: str) -> Callable[[Any, Mapping[str, Any]], list[Cell]]:
    """Makes rows of these columns; `source` says whose ids stand in external_id."""
    takes = [_taking(name, source) for name in names]
    return lambda row, person: [take(row, person) for take in takes]


def _taking(name: str, source: str) -> _Take:
    owner, _, member = name.partition(".")
    if owner == "person":
        nothing: Cell = [] if member in _MANY else ""
        return lambda row, person: person.get(member, nothing)
    if owner == "company":
        nothing = [] if member in _MANY else ""
        return lambda row, person: (row.company or _NOTHING).get(member, nothing)
    if owner == "class":
        return lambda row, person: _class(row, member)
    if name == EXTERNAL_ID:
        return lambda row, person: next((value for of, value in row.external_ids if of == source), "")
    return _CLEAR[name]


def _class(row: Any, scheme: str) -> str:
    return next((str(entry[2]) for entry in row.classes or () if entry[0] == scheme), "")


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


_CLEAR: Mapping[str, _Take] = {
    "id": lambda row, person: str(row.id),
    "kind": lambda row, person: row.kind,
    "external_ids": lambda row, person: [f"{source}:{value}" for source, value in row.external_ids],
    "owner_id": lambda row, person: "" if row.owner_id == NOBODY else str(row.owner_id),
    "source_channel": lambda row, person: row.source_channel,
    "industry": lambda row, person: row.industry,
    "province": lambda row, person: row.province,
    "city": lambda row, person: row.city,
    "tags": lambda row, person: row.tags,
    "collaborator_ids": lambda row, person: [str(user) for user in row.collaborator_ids],
    "create_time": lambda row, person: _instant(row.created_at),
    "update_time": lambda row, person: _instant(row.updated_at),
}
