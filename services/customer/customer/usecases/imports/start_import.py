"""Starting an import, going on after its trial, and stopping it (C-09 to C-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from customer.domain.errors import OwnerOutOfReach
from customer.domain.importing.mapping import Column, check
from customer.domain.importing.reports import KEPT_FOR
from customer.domain.importing.runs import Import, Options, State
from customer.usecases.imports.ports import PERMISSION, ImportWork, Marks
from customer.usecases.merge_customers import PERMISSION as MERGE
from customer.usecases.ports import REPORT_EXPIRES
from kernel.pure.errors import Checks, PermissionDenied
from kernel.pure.ids import new_id

_LONGEST_SOURCE = 100


@dataclass(frozen=True)
class Draft:
    """What somebody wants to import. `owner_id` None means whoever imports."""

    upload_id: UUID
    columns: Sequence[Column]
    source: str
    kind: str
    owner_id: UUID | None
    merge_duplicates: bool


def start_import(work: ImportWork, marks: Marks, draft: Draft) -> Import:
    """An import whose first 100 rows will be stored as soon as its turn comes.

    Raises Invalid, UploadNotFound, UploadIncomplete, UploadNotReady, UploadExpired, OwnerOutOfReach, or why
    the file can't be read; PermissionDenied when duplicates are to be merged by who may not merge.
    """
    if draft.merge_duplicates and work.principal.scope_of(MERGE) is None:
        raise PermissionDenied(permission=MERGE)
    upload = work.uploads.lend(draft.upload_id)
    upload.require_ready()
    head = work.uploads.head(upload)
    checks = Checks()
    source = draft.source.strip()
    if not 1 <= len(source) <= _LONGEST_SOURCE or not source.isprintable():
        checks.refuse("source", "REQUIRED", "must have 1 to 100 characters", "必须有 1 到 100 个字符")
    check(draft.columns, head.names, draft.kind, checks)
    checks.raise_if_any()
    owner_id = draft.owner_id or work.principal.user_id
    if owner_id is None:
        raise PermissionDenied(permission=PERMISSION)
    if not work.customers.reaches(owner_id, PERMISSION):
        raise OwnerOutOfReach(id=owner_id)
    columns = {column.name: column.field for column in draft.columns}
    work.imports.save_mapping(marks.columns(head.names), draft.kind, columns)
    run = Import(
        id=new_id(),
        upload_id=upload.id,
        file_name=upload.file_name,
        state=State.TRIAL_RUNNING,
        options=Options(
            {name: field for name, field in columns.items() if field},
            source,
            draft.kind,
            owner_id,
            draft.merge_duplicates,
            upload.format,
            head.encoding,
        ),
        principal=work.principal,
        bytes_total=upload.size,
    )
    work.imports.add(run)
    work.schedule(REPORT_EXPIRES, str(run.id), work.now + KEPT_FOR)
    work.imports.wake()
    work.audit("start", "import", run.id, upload=str(upload.id), source=source)
    return run


def confirm_import(work: ImportWork, import_id: UUID) -> Import:
    """Goes on after the trial. Raises ImportNotFound or ImportState."""
    run = work.imports.lend(import_id)
    run.confirm()
    work.imports.save(run)
    work.schedule(REPORT_EXPIRES, str(run.id), work.now + KEPT_FOR)
    work.imports.wake()
    work.audit("confirm", "import", run.id)
    return run


def cancel_import(work: ImportWork, import_id: UUID) -> Import:
    """Stops after the rows that are being stored. Raises ImportNotFound or ImportState."""
    run = work.imports.lend(import_id)
    run.cancel(work.now)
    work.imports.save(run)
    work.audit("cancel", "import", run.id)
    return run
