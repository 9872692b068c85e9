"""Starting an export, and stopping it (C-09, P-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from customer.domain.exporting.fields import chosen
from customer.domain.exporting.reach import PERMISSION, RAW
from customer.domain.exporting.runs import (
    COUNTED_FOR,
    FORMATS,
    KEPT_FOR,
    MOST_WORKBOOK_ROWS,
    XLSX,
    Export,
    Options,
    State,
)
from customer.usecases.exports.ports import ExportWork
from customer.usecases.ports import EXPORT_EXPIRES
from customer.usecases.reveal_customer import check_reason
from kernel.pure.errors import Checks, PermissionDenied
from kernel.pure.ids import new_id

_LONGEST_SOURCE = 100


@dataclass(frozen=True)
class Draft:
    """What somebody wants to export; `format` is one of FORMATS or empty, `language` "zh" or "en"."""

    filter: str
    fields: Sequence[str]
    format: str
    reason: str
    raw: bool
    source: str
    language: str


def start_export(work: ExportWork, draft: Draft) -> Export:
    """An export that will be written as soon as its turn comes, or waits for approval.

    Raises Invalid, or PermissionDenied for raw cells.
    """
    if work.principal.user_id is None:
        raise PermissionDenied(permission=PERMISSION)
    if draft.raw:
        work.principal.require(RAW)
    options = _checked(draft)
    rows = work.exports.count(options.filter)
    checks = Checks()
    if options.format == XLSX and rows > MOST_WORKBOOK_ROWS:
        checks.refuse(
            "format",
            "TOO_MANY_ROWS",
            f"a workbook holds {MOST_WORKBOOK_ROWS} rows; take csv",
            f"工作簿最多 {MOST_WORKBOOK_ROWS} 行，请使用 csv",
        )
    checks.raise_if_any()
    policy = work.exports.policy()
    export = Export(
        id=new_id(),
        principal=work.principal,
        options=options,
        state=State.RUNNING,
        rows_total=rows,
        allowance=max(0, policy.rows_without_approval - work.exports.unapproved(work.now - COUNTED_FOR)),
        policy_version=policy.version,
        created_at=work.now,
        expires_at=work.now + KEPT_FOR,
    )
    export.begin()
    work.exports.add(export)
    work.schedule(EXPORT_EXPIRES, str(export.id), export.expires_at)
    if export.runnable:
        work.exports.wake()
    work.audit(
        "start",
        "export",
        export.id,
        reason=options.reason,
        filter=options.filter,
        fields=list(options.fields),
        rows=rows,
        raw=options.raw,
        state=export.state.value,
    )
    return export


def cancel_export(work: ExportWork, export_id: UUID) -> Export:
    """Stops an export and destroys what was written. Raises ExportNotFound or ExportState."""
    export = work.exports.lend(export_id)
    export.cancel(work.now)
    work.exports.save(export)
    work.exports.destroy([export_id])
    work.cancel(EXPORT_EXPIRES, str(export_id))
    work.audit("cancel", "export", export_id)
    return export


def _checked(draft: Draft) -> Options:
    checks = Checks()
    reason = check_reason(draft.reason, checks)
    source = draft.source.strip()
    if len(source) > _LONGEST_SOURCE or not source.isprintable():
        checks.refuse("source", "TOO_LONG", "must have at most 100 characters", "最多 100 个字符")
    if draft.format not in FORMATS:
        checks.refuse("format", "REQUIRED", "must be csv, xlsx or jsonl", "必须是 csv、xlsx 或 jsonl")
    fields = chosen(draft.fields, source, checks)
    checks.raise_if_any()
    return Options(draft.filter, fields, draft.format, reason, draft.raw, source, draft.language)
