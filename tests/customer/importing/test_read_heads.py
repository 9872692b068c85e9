"""A file that has arrived is read by a job, once; requests are answered from what was found."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from crm.customer.v1 import import_service_pb2 as pb
from customer.api.imports import ImportServicer
from customer.domain.importing.errors import UploadExpired, UploadNotFound, UploadNotReady
from customer.domain.importing.uploads import Upload
from customer.jobs import read_heads as job
from customer.store.files import Files
from customer.usecases.imports.create_upload import append_upload, create_upload
from customer.usecases.imports.note_head import note_failure, note_head
from customer.usecases.ports import READ_HEADS
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.errors import CrmError, StoreUnavailable
from kernel.pure.grants import Principal
from kernel.rpc.call import Call
from tests.customer.importing.people import HEADER, begun, importer, read, uploaded
from tests.customer.importing.test_formats import ENCODINGS, ROWS, text_of

GOOD = text_of().encode()


def call_of(me: Principal, language: str = "en") -> Call:
    return Call(me, language, "", lambda *_: None)


def shown(app: CustomerApp, me: Principal, upload: Upload, language: str = "en") -> tuple[str, str]:
    """The state and the error that the owner sees."""
    request = pb.GetUploadRequest(id=str(upload.id))
    answer = ImportServicer(app).get_upload(request, call_of(me, language))
    return pb.UploadState.Name(answer.state).removeprefix("UPLOAD_STATE_"), answer.error


def suggested(app: CustomerApp, me: Principal, upload: Upload) -> pb.SuggestMappingResponse:
    request = pb.SuggestMappingRequest(upload_id=str(upload.id))
    return ImportServicer(app).suggest_mapping(request, call_of(me))


def waiting_jobs(app: CustomerApp) -> int:
    sql = "select count(*) as n from jobs.procrastinate_jobs where task_name = %s and status = 'todo'"
    return int(app.reader.rows(sql, (READ_HEADS,))[0].n)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in (HEADER, *ROWS):
        sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("written", ENCODINGS)
def test_text_in_any_usual_encoding_is_ready_once_the_job_has_read_it(app: CustomerApp, written: str) -> None:
    mark, codec, told = ENCODINGS[written]
    me = importer()
    upload = uploaded(app, me, mark + text_of().encode(codec))
    assert shown(app, me, upload) == ("READING", "")
    read(app)
    assert shown(app, me, upload) == ("READY", "")
    answer = suggested(app, me, upload)
    assert ([column.column for column in answer.columns], answer.encoding) == ([*HEADER], told)


def test_a_workbook_is_ready_once_the_job_has_read_it(app: CustomerApp) -> None:
    me = importer()
    upload = uploaded(app, me, workbook(), "people.xlsx")
    read(app)
    answer = suggested(app, me, upload)
    assert ([column.column for column in answer.columns], answer.encoding) == ([*HEADER], "")


BAD = {
    "FILE_UNREADABLE": ("a.csv", b"\xff\x81" * 400),
    "FILE_EMPTY": ("a.csv", b"\n\n"),
    "FILE_TOO_WIDE": ("a.csv", b",".join(b"c%d" % n for n in range(201))),
    "FILE_HEADER_TOO_LONG": ("a.csv", b"a" * (2 << 20)),
    "no workbook": ("a.xlsx", b"PK\x03\x04" + b"\0" * 100),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_cannot_be_read_says_why_in_the_callers_language(app: CustomerApp, kind: str) -> None:
    name, data = BAD[kind]
    me = importer()
    upload = uploaded(app, me, data, name)
    read(app)
    with pytest.raises(CrmError) as refused:
        suggested(app, me, upload)
    error = refused.value
    assert error.reason == (kind if kind.isupper() else "FILE_UNREADABLE")
    assert [violation.field for violation in error.violations] == ["upload_id"]
    assert [shown(app, me, upload, language) for language in ("en", "zh")] == [
        ("UNREADABLE", error.message("en")),
        ("UNREADABLE", error.message("zh")),
    ]
    with pytest.raises(type(error)):
        begun(app, me, upload, "person", merge=False)


def test_who_comes_before_the_job_is_told_to_wait(app: CustomerApp) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    with pytest.raises(UploadNotReady):
        suggested(app, me, upload)
    with pytest.raises(UploadNotReady):
        begun(app, me, upload, "person", merge=False)


def test_the_chunk_that_makes_a_file_whole_wakes_the_job_in_its_transaction(app: CustomerApp) -> None:
    me, before = importer(), waiting_jobs(app)
    with app.work(me) as work:
        upload = create_upload(work, "a.csv", len(GOOD))
        append_upload(work, upload.id, 0, GOOD[:9])
    assert waiting_jobs(app) == before
    with app.work(me) as work:
        append_upload(work, upload.id, 9, GOOD[9:])
        work.discard()
    assert (waiting_jobs(app), shown(app, me, upload)[0]) == (before, "RECEIVING")
    for _ in range(2):
        with app.work(me) as work:
            append_upload(work, upload.id, 9, GOOD[9:])
    assert (waiting_jobs(app), shown(app, me, upload)[0]) == (before + 1, "READING")


def test_each_file_wakes_the_job_however_many_wait(app: CustomerApp) -> None:
    """A job that waits already may begin, and end, before the next file is there to be seen."""
    before = waiting_jobs(app)
    for _ in range(2):
        uploaded(app, importer(), GOOD)
    assert waiting_jobs(app) == before + 2


def test_a_file_whose_job_was_lost_is_read_by_the_one_of_the_next_minute(app: CustomerApp) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("delete from jobs.procrastinate_jobs")
    assert job.JOB.every == "* * * * *"
    job.JOB.run(Running(app, 1, lambda: False))
    assert shown(app, me, upload)[0] == "READY"


class Killed(BaseException):
    """Nothing of the program runs after it."""


def test_a_job_that_was_killed_while_it_read_begins_anew(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object) -> None:
        raise Killed

    me = importer()
    upload = uploaded(app, me, GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(job, "note_head", kill)
        with pytest.raises(Killed):
            read(app)
    assert shown(app, me, upload)[0] == "READING"
    read(app)
    assert shown(app, me, upload)[0] == "READY"


def test_what_two_jobs_read_at_the_same_time_is_kept_once(app: CustomerApp) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    head = Files(app.reader, app.importing.file_sealer).head(upload.id, upload.format)
    for note in (
        lambda work: note_head(work, upload.id, head),
        lambda work: note_head(work, upload.id, head),
        lambda work: note_failure(work, upload.id, MemoryError()),
    ):
        with app.work(Principal.service("customer")) as work:
            note(work)
    assert shown(app, me, upload)[0] == "READY"
    kept = app.reader.row("select failures from uploads where id = %s", (upload.id,))
    assert kept is not None
    assert kept.failures == 0


def failing(error: Exception, name: str) -> Callable[..., Any]:
    """Reads files of other formats than `name`, and raises for these."""
    whole = Files.head

    def head(files: Files, upload_id: Any, format: str) -> Any:
        if format == name:
            raise error
        return whole(files, upload_id, format)

    return head


def test_a_file_at_which_the_program_fails_keeps_no_other_waiting_and_ends(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = importer()
    bad, good = uploaded(app, me, workbook(), "a.xlsx"), uploaded(app, me, GOOD)
    monkeypatch.setattr(Files, "head", failing(MemoryError(), "xlsx"))
    read(app)
    assert (shown(app, me, bad)[0], shown(app, me, good)[0]) == ("UNREADABLE", "READY")


def test_what_waiting_can_mend_leaves_the_file_as_it_is(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(Files, "head", failing(StoreUnavailable(), "csv"))
        with pytest.raises(StoreUnavailable):
            read(app)
    kept = app.reader.row("select failures from uploads where id = %s", (upload.id,))
    assert kept is not None
    assert (kept.failures, shown(app, me, upload)[0]) == (0, "READING")


def test_the_head_is_sealed_and_goes_with_the_file(app: CustomerApp) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    read(app)
    kept = app.reader.row("select sealed from upload_heads where upload_id = %s", (upload.id,))
    assert kept is not None
    assert "王小明".encode() not in kept.sealed
    app.keyring.destroy([upload.id])
    with pytest.raises(UploadExpired):
        suggested(app, me, upload)
    with app.work(Principal.service("customer")) as work:
        work.uploads.destroy([upload.id])
    assert app.reader.rows("select 1 as one from upload_heads") == []


def test_a_file_whose_key_is_gone_before_it_was_read_says_so(app: CustomerApp) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    app.keyring.destroy([upload.id])
    read(app)
    assert shown(app, me, upload) == ("UNREADABLE", UploadExpired().message("en"))


def test_a_file_that_goes_while_it_is_read_leaves_nothing(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = importer()
    upload = uploaded(app, me, GOOD)
    head = Files.head

    def read_and_destroy(files: Files, upload_id: Any, format: str) -> Any:
        found = head(files, upload_id, format)
        with app.work(Principal.service("customer")) as work:
            work.uploads.destroy([upload_id])
        return found

    monkeypatch.setattr(Files, "head", read_and_destroy)
    read(app)
    assert app.reader.rows("select 1 as one from upload_heads") == []
    with pytest.raises(UploadNotFound):
        shown(app, me, upload)
