"""The job that reads how uploaded files begin, one after the other, beside imports that are running."""

from __future__ import annotations

from typing import Any

from customer.domain.importing.errors import UNREADABLE
from customer.domain.importing.uploads import Upload
from customer.store.files import Files
from customer.usecases.imports.note_head import note_failure, note_head
from customer.usecases.ports import READ_HEADS
from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.sql.engine import is_unavailable

_log = logger(__name__)


def read_heads(running: Running) -> None:
    """Reads until no file that has arrived is unread. Of one that can't be read the reason is kept."""
    app: Any = running.app
    files = Files(app.reader, app.importing.file_sealer)
    while True:
        running.checkpoint()
        with app.work(Principal.service(app.service)) as work:
            upload: Upload | None = work.uploads.unread()
        if upload is None:
            return
        try:
            head = files.head(upload.id, upload.format)
            with app.work(Principal.service(app.service)) as work:
                note_head(work, upload.id, head)
        except tuple(UNREADABLE.values()) as error:
            _log.info("upload can't be read", upload_id=str(upload.id), reason=error.reason)
            _note_failure(app, upload, error)
        except Exception as error:
            if is_unavailable(error) or (isinstance(error, CrmError) and error.transient):
                raise
            _log.warning(
                "upload not read", upload_id=str(upload.id), error=type(error).__name__, exc_info=error
            )
            _note_failure(app, upload, error)


def _note_failure(app: Any, upload: Upload, error: Exception) -> None:
    with app.work(Principal.service(app.service)) as work:
        note_failure(work, upload.id, error)


# Each minute besides, for files whose job was lost or gave up: so the job itself gives up soon.
JOB = Job(READ_HEADS, read_heads, attempts=3, every="* * * * *")
