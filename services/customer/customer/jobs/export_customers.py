"""The job that writes exports, the one that is least far first, and the timer that destroys their files."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID

from crm.customer.v1 import customer_pb2
from customer import metrics
from customer.domain.exporting.cells import plan
from customer.domain.exporting.fields import BY_NAME
from customer.domain.exporting.forms import form_of
from customer.domain.exporting.runs import Export, Page
from customer.usecases.exports.write_export import expire_exports, note_failure, write_page
from customer.usecases.ports import EXPORT
from customer.wiring import CustomerApp
from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.rpc.masking import masked
from kernel.sql.engine import is_unavailable
from kernel.sql.timers import Timer

_log = logger(__name__)


def export_customers(running: Running) -> None:
    """Writes exports until none is left to write."""
    app: Any = running.app
    while True:
        running.checkpoint()
        export = _next(app)
        if export is None:
            return
        try:
            _write(app, export, running)
        except Exception as error:
            if is_unavailable(error) or (isinstance(error, CrmError) and error.transient):
                raise
            _log.warning(
                "export failed", export_id=str(export.id), error=type(error).__name__, exc_info=error
            )
            with app.work(export.principal) as work:
                note_failure(work, export.id, error)


def destroy_exports(work: Any, timers: Sequence[Timer]) -> None:
    """Destroys the files whose time has come."""
    expire_exports(work, [UUID(timer.key) for timer in timers])


# Each minute besides, for exports whose job was lost or gave up.
JOB = Job(EXPORT, export_customers, every="* * * * *")


def _write(app: Any, export: Export, running: Running) -> None:
    """Writes pages of one export until it ends or waits, or another one is less far.

    A page is read with the rights that the export began with. It is written only when whoever started it
    still has them, which is asked after it was read.
    """
    with closing(_pages(app, export)) as pages:
        for page in pages:
            with app.work(running.present(export.principal)) as work:
                export = write_page(work, export.id, page)
            metrics.customers_exported.inc(page.rows)
            running.checkpoint()
            if not export.runnable or _another_is_behind(app, export):
                return


def _next(app: CustomerApp) -> Export | None:
    with app.work(Principal.service(app.service)) as work:
        return work.exports.next()


def _another_is_behind(app: CustomerApp, export: Export) -> bool:
    other = _next(app)
    return other is not None and other.id != export.id


def _pages(app: CustomerApp, export: Export) -> Generator[Page, None, None]:
    """The pages that are left of an export. While one is written, the next is read from the database."""
    options = export.options
    form = form_of(options, export.form)
    personal = any(BY_NAME[name].personal for name in options.fields)
    cells = plan(options.fields, options.source)
    after: str | None = export.after

    def read(after: str) -> Any:
        return app.exporting.page(export.principal, options.filter, after, personal)

    with ThreadPoolExecutor(1, thread_name_prefix="read") as reading:
        ahead = reading.submit(read, export.after)
        while True:
            rows, documents, following = ahead.result()
            if following is not None:
                ahead = reading.submit(read, following)
            data = b"" if after else form.begin()
            shown, clear = _shown(rows, documents)
            data += form.rows([cells(row, person) for row, person in zip(rows, shown, strict=True)])
            if following is None:
                data += form.end()
            yield Page(
                after=after or "",
                upto=following or "",
                rows=len(rows),
                data=data,
                form=form.state,
                at_end=following is None,
                personal=clear,
            )
            if following is None:
                return
            after = following


def _shown(
    rows: Sequence[Any], documents: Sequence[dict[str, Any] | None]
) -> tuple[list[dict[str, Any]], bool]:
    """Personal documents masked where the exporter may not see them whole, and whether one is whole."""
    shown: list[dict[str, Any]] = []
    clear = False
    for row, document in zip(rows, documents, strict=True):
        if document is None:
            shown.append({})
        elif row.clear:
            shown.append(document)
            clear = True
        else:
            shown.append(masked(customer_pb2.Person, document)[0])
    return shown, clear
