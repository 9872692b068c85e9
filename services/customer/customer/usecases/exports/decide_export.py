"""A second person lets a large export go, or does not; the rules by which one is large."""

from __future__ import annotations

from uuid import UUID

from customer.domain.exporting.runs import Export, Policy
from customer.usecases.exports.ports import ExportWork
from customer.usecases.ports import EXPORT_EXPIRES


def approve_export(work: ExportWork, export_id: UUID) -> Export:
    """Raises ExportNotFound, OwnExport or ExportState."""
    export = work.exports.hold(export_id)
    export.approve(work.principal.user_id)
    work.exports.save(export)
    work.exports.wake()
    work.audit("approve", "export", export_id, rows=export.rows_total)
    return export


def reject_export(work: ExportWork, export_id: UUID) -> Export:
    """Raises ExportNotFound, OwnExport or ExportState."""
    export = work.exports.hold(export_id)
    export.reject(work.principal.user_id, work.now)
    work.exports.save(export)
    work.exports.destroy([export_id])
    work.cancel(EXPORT_EXPIRES, str(export_id))
    work.audit("reject", "export", export_id, rows=export.rows_total)
    return export


def change_export_policy(work: ExportWork, rows_without_approval: int) -> Policy:
    """Puts a new version in force. Raises Invalid."""
    policy = work.exports.policy().changed(rows_without_approval)
    work.exports.put_policy(policy)
    work.audit("change", "export_policy", policy.version, rows_without_approval=rows_without_approval)
    return policy
