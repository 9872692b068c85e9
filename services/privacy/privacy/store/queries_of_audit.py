"""The read side of the audit: rows by filter, chains in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute, compile_filter

_ATTRIBUTES = {
    ("service",): Attribute("service", "text"),
    ("action",): Attribute("action", "text"),
    ("actor", "kind"): Attribute("actor_kind", "text"),
    ("actor", "id"): Attribute("actor_id", "text"),
    ("object", "type"): Attribute("object_type", "text"),
    # Also finds the rows of lists in which the record was shown.
    ("object", "ids"): Attribute("object_ids", "texts"),
    ("trace",): Attribute("trace_id", "text"),
    ("at",): Attribute("at", "timestamp"),
}
_ENTRIES = """
    select service, position, hash, id, at, actor_kind, actor_id, action, object_type, object_id, facts,
           trace_id
    from sealed_entries
"""
_BEFORE = " and (%(at)s::timestamptz is null or (at, id) < (%(at)s::timestamptz, %(id)s::uuid))"
_NEWEST = " order by at desc, id desc limit %(limit)s"
_LINKS = " where service = %(service)s and position > %(after)s order by position limit %(limit)s"
_CHECKPOINTS = """
    select position, hash, signed_at, key_id, signature from sealed_checkpoints
    where service = %(service)s and position > %(after)s and position <= %(until)s order by position
"""
_SERVICES = """
    select distinct service, public_key from sealed_entries left join seal_keys using (service)
    where %(service)s = '' or service = %(service)s order by service
"""
# Rows of a chain that are read at once.
_STEP = 5_000


def list_entries(reader: Reader, filter: str, before: tuple[datetime, UUID] | None, limit: int) -> list[Any]:
    """Rows that fit a filter, newest first, from the one after (at, id) `before`. Raises Invalid."""
    condition, params = compile_filter(filter, _ATTRIBUTES.get)
    at, id = before or (None, None)
    sql = f"{_ENTRIES} where {condition} {_BEFORE} {_NEWEST}"
    return reader.rows(sql, {**params, "at": at, "id": id, "limit": limit})


def list_links(reader: Reader, service: str, after: int, limit: int) -> list[Any]:
    """Rows of a service's chain, in order, from the one after position `after`."""
    return reader.rows(_ENTRIES + _LINKS, {"service": service, "after": after, "limit": limit})


def walk(reader: Reader, service: str) -> Iterator[Any]:
    """Every row of a service's chain, in order."""
    after = 0
    while rows := list_links(reader, service, after, _STEP):
        yield from rows
        after = rows[-1].position


def checkpoints(reader: Reader, service: str, after: int, until: int) -> list[Any]:
    """Rows of the checkpoints that vouch for positions above `after`, up to `until`."""
    return reader.rows(_CHECKPOINTS, {"service": service, "after": after, "until": until})


def services(reader: Reader, service: str) -> list[Any]:
    """Rows (service, public key) of those whose audit is kept; of one of them when named."""
    return reader.rows(_SERVICES, {"service": service})
