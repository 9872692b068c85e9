"""Bringing a file in, chunk by chunk."""

from __future__ import annotations

from uuid import UUID

from customer.domain.importing.uploads import KEPT_FOR, Upload, UploadState, check_upload
from customer.usecases.imports.ports import PERMISSION, ImportWork
from customer.usecases.ports import UPLOAD_EXPIRES
from kernel.pure.errors import PermissionDenied
from kernel.pure.ids import new_id


def create_upload(work: ImportWork, file_name: str, size: int) -> Upload:
    """An upload that waits for its first chunk. Raises Invalid."""
    name = check_upload(file_name, size)
    owner_id = work.principal.user_id
    if owner_id is None:
        raise PermissionDenied(permission=PERMISSION)
    upload = Upload(new_id(), owner_id, name, size, 0, work.now + KEPT_FOR)
    work.uploads.add(upload)
    work.schedule(UPLOAD_EXPIRES, str(upload.id), upload.expires_at)
    work.audit("create", "upload", upload.id, size=size)
    return upload


def append_upload(work: ImportWork, upload_id: UUID, offset: int, data: bytes) -> Upload:
    """Adds a chunk that begins at byte `offset`; one that has come before changes nothing. A file that is
    whole by that is read as soon as may be.

    Raises UploadNotFound, Invalid or UploadOffset.
    """
    upload = work.uploads.lend(upload_id)
    if upload.accept(offset, data):
        work.uploads.append(upload, offset, data)
        if upload.state is UploadState.READING:
            work.uploads.wake()
    return upload
