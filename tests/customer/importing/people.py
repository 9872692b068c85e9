"""Files of made-up people, brought in as their owner would do it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from customer.domain.importing.mapping import suggest
from customer.domain.importing.runs import Import
from customer.domain.importing.uploads import Upload
from customer.jobs.import_customers import import_customers
from customer.jobs.read_heads import read_heads
from customer.usecases.imports.create_upload import append_upload, create_upload
from customer.usecases.imports.start_import import Draft, confirm_import, start_import
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.grants import Principal, Scope
from tests.customer.conftest import seller
from tests.support.people import Record, population

RIGHTS = {f"customer.customers.{verb}": Scope.ALL for verb in ("import", "read", "merge")}
HEADER = ("客户编号", "姓名", "手机", "邮箱", "出生日期", "身份证号", "省份", "城市", "地址")


def rows_of(seed: int, people: int) -> list[tuple[str, ...]]:
    """People of whom some stand there twice or more, as rows below HEADER."""
    return [_row(record) for record in population(seed, people).records]


def csv_of(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue().encode()


def importer() -> Principal:
    return replace(seller(), grants=RIGHTS)


def uploaded(app: CustomerApp, me: Principal, data: bytes, name: str = "people.csv") -> Upload:
    """A file that has arrived and was not read yet."""
    with app.work(me) as work:
        upload = create_upload(work, name, len(data))
        for offset in range(0, len(data), 1 << 20):
            upload = append_upload(work, upload.id, offset, data[offset : offset + (1 << 20)])
    return upload


def read(app: CustomerApp) -> None:
    """What the job does with files that have arrived."""
    read_heads(Running(app, 1, lambda: False))


def started(
    app: CustomerApp,
    me: Principal,
    data: bytes,
    owner_id: UUID | None = None,
    *,
    merge: bool = True,
    name: str = "people.csv",
) -> Import:
    """An import of the file that waits for its trial; the customers will be the importer's or another's."""
    upload = uploaded(app, me, data, name)
    read(app)
    return begun(app, me, upload, "person", owner_id, merge=merge)


def begun(
    app: CustomerApp, me: Principal, upload: Upload, kind: str, owner_id: UUID | None = None, *, merge: bool
) -> Import:
    """An import of a file that was read, by the mapping that is suggested."""
    with app.work(me) as work:
        upload = work.uploads.lend(upload.id)
        upload.require_ready()
        head = work.uploads.head(upload)
        draft = Draft(upload.id, suggest(head.names, head.samples, None), "erp", kind, owner_id, merge)
        return start_import(work, app.importing.marks, draft)


def worked_on(app: CustomerApp) -> None:
    """What the job does until nothing is left to do without anybody's word."""
    import_customers(Running(app, 1, lambda: False))


def confirmed(app: CustomerApp, me: Principal, import_id: UUID) -> Import:
    with app.work(me) as work:
        return confirm_import(work, import_id)


def _row(record: Record) -> tuple[str, ...]:
    return (
        record.id, record.full_name, " / ".join(record.phones), ";".join(record.emails), record.birth_date,
        record.id_number, record.province, record.city, record.street_address,
    )  # fmt: skip
