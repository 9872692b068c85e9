"""Keeping how an uploaded file begins, or why it can't be read."""

from __future__ import annotations

from uuid import UUID

from customer.domain.importing.errors import UploadNotFound
from customer.domain.importing.uploads import Head, Upload, UploadState
from customer.usecases.imports.ports import ImportWork


def note_head(work: ImportWork, upload_id: UUID, head: Head) -> None:
    """The file is ready. One that somebody else has read meanwhile, or that is gone, stays as it is."""
    upload = _unread(work, upload_id)
    if upload is not None:
        work.uploads.keep_head(upload, head)


def note_failure(work: ImportWork, upload_id: UUID, error: Exception) -> None:
    """Reading the file raised `error`, which says why it can't be read, or counts until it can't."""
    upload = _unread(work, upload_id)
    if upload is not None:
        upload.fail(error)
        work.uploads.keep_failure(upload)


def _unread(work: ImportWork, upload_id: UUID) -> Upload | None:
    try:
        upload = work.uploads.hold(upload_id)
    except UploadNotFound:
        return None
    return upload if upload.state is UploadState.READING else None
