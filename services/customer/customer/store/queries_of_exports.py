"""The read side of exports: everybody sees their own, and who may approve sees those that wait."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kernel.pure.grants import Principal
from kernel.sql.engine import Reader

_EXPORT = """
    select id, owner_id, state, options, rows_total, rows_done, size, approver_id, policy_version, created_at,
           ended_at, expires_at, error
    from exports
"""
_POLICY = """
    select version, rows_without_approval, created_at, actor_id from export_policies
    order by version desc limit 1
"""


def get_export(reader: Reader, principal: Principal, export_id: UUID) -> Any | None:
    return reader.row(
        f"{_EXPORT} where id = %(id)s and owner_id = %(me)s", {"id": export_id, "me": principal.user_id}
    )


def any_export(reader: Reader, export_id: UUID) -> Any:
    """The row of an export that the caller has just decided on."""
    return reader.row(f"{_EXPORT} where id = %(id)s", {"id": export_id})


def list_exports(reader: Reader, principal: Principal, before: UUID | None, limit: int) -> list[Any]:
    """Newest first, from the one that comes after `before`."""
    sql = f"""{_EXPORT} where owner_id = %(me)s and (%(before)s::uuid is null or id < %(before)s)
              order by id desc limit %(limit)s"""
    return reader.rows(sql, {"me": principal.user_id, "before": before, "limit": limit})


def list_to_approve(reader: Reader, principal: Principal, after: UUID | None, limit: int) -> list[Any]:
    """Those of others that wait, oldest first, from the one that comes after `after`."""
    sql = f"""{_EXPORT} where state = 'awaiting_approval' and owner_id <> %(me)s
              and (%(after)s::uuid is null or id > %(after)s) order by id limit %(limit)s"""
    return reader.rows(sql, {"me": principal.user_id, "after": after, "limit": limit})


def get_manifest(reader: Reader, principal: Principal, export_id: UUID) -> Any | None:
    sql = "select state, manifest, signature from exports where id = %(id)s and owner_id = %(me)s"
    return reader.row(sql, {"id": export_id, "me": principal.user_id})


def get_policy(reader: Reader) -> Any:
    return reader.row(_POLICY)
