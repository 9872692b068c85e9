"""Writing an export page by page, each in one transaction with its progress, and its end."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from customer.domain.events import CustomersExported
from customer.domain.exporting.errors import (
    ENDINGS,
    ExportExpired,
    ExportFault,
    ExportSuperseded,
)
from customer.domain.exporting.reach import check_reach
from customer.domain.exporting.runs import MOST_FAILURES, Export, Page
from customer.usecases.exports.ports import ExportWork
from customer.usecases.ports import EXPORT_EXPIRES
from kernel.pure.errors import CrmError


def write_page(work: ExportWork, export_id: UUID, page: Page) -> Export:
    """The export after this page; `work` belongs to whoever started it, with the rights they had when it
    was read or later. One that was cancelled, or waits for approval, is answered as it is.

    Raises ExportSuperseded when this page was written by somebody else, ExportForbidden or
    ExportExpired.
    """
    export = work.exports.hold(export_id)
    if not export.runnable:
        return export
    if export.after != page.after:
        raise ExportSuperseded
    if work.now >= export.expires_at:
        raise ExportExpired
    check_reach(export, work.principal)
    if export.take(page):
        work.exports.append(export, page)
        if page.at_end:
            _finish(work, export)
    work.exports.save(export)
    return export


def note_failure(work: ExportWork, export_id: UUID, error: Exception) -> Export:
    """An export one of whose steps failed: it ends when trying again can't mend that."""
    export = work.exports.hold(export_id)
    if not export.runnable:
        return export
    export.failures += 1
    reason = error.reason if isinstance(error, CrmError) and not error.transient else ""
    if reason or export.failures >= MOST_FAILURES:
        export.fail(reason if reason in ENDINGS else ExportFault.reason, work.now)
        work.exports.destroy([export_id])
    work.exports.save(export)
    return export


def download_export(work: ExportWork, export_id: UUID, offset: int) -> Export:
    """The principal's export, whose file may be read; its beginning is noted.

    Raises ExportNotFound, ExportExpired, ExportState or ExportForbidden.
    """
    export = work.exports.lend(export_id)
    export.require_file()
    check_reach(export, work.principal)
    if offset == 0:
        work.audit("download", "export", export_id, rows=export.rows_done)
    return export


def expire_exports(work: ExportWork, export_ids: Collection[UUID]) -> None:
    """Destroys files whose time has come."""
    for export_id in export_ids:
        export = work.exports.hold(export_id)
        export.expire(work.now)
        work.exports.save(export)
        work.audit("expire", "export", export_id)
    work.exports.destroy(export_ids)


def _finish(work: ExportWork, export: Export) -> None:
    """Certifies a whole file, and tells whoever watches that it left."""
    export.finish(work.now)
    sha256 = work.exports.digest(export.id)
    work.exports.certify(export, export.manifest(sha256))
    work.schedule(EXPORT_EXPIRES, str(export.id), export.expires_at)
    work.audit("export", "export", export.id, rows=export.rows_done, sha256=sha256, personal=export.personal)
    exporter_id = export.principal.user_id
    assert exporter_id is not None
    work.record(
        CustomersExported(
            export_id=export.id,
            exporter_id=exporter_id,
            approver_id=export.approver_id,
            customers=export.rows_done,
            personal=export.personal,
            format=export.options.format,
        )
    )
