"""A service that follows the privacy service rests and erases as it is told, and answers with a receipt."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from kernel.pure.ids import new_id
from kernel.sql import subjects
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork

Work = Callable[[], UnitOfWork]
FOLLOWER = Path(__file__).with_name("follower.py")


def test_rows_and_keys_go_and_the_receipt_counts_them(app: App, work: Work) -> None:
    sealer = Sealer(app.keyring, installation="crm", service="sales")
    gone, stays, request = new_id(), new_id(), new_id()
    letters = {person: new_id() for person in (gone, stays)}
    with app.engine.begin() as connection:
        for person, letter in letters.items():
            sealed = sealer.seal("letters", letter, person, {"text": "亲爱的"})
            connection.exec_driver_sql("insert into letters values (%s, %s, %s)", (letter, person, sealed))
    copy = app.reader.rows("select sealed from letters where person_id = %s", (gone,))[0].sealed
    first, second = order(app, request, gone), order(app, request, gone)
    assert first["counts"] == [
        {"table": "letters", "rows": 1}, {"table": "answers"}, {"table": "keys", "rows": 1},
    ]  # fmt: skip
    assert second["counts"] == [{"table": "letters"}, {"table": "answers"}, {"table": "keys"}]
    assert first["requestId"] == str(request)
    app.keyring.poll_version()
    assert sealer.open("letters", letters[gone], gone, bytes(copy)) is None
    assert [row.person_id for row in app.reader.rows("select person_id from letters")] == [stays]
    with work() as open_work:
        assert subjects.erased(open_work, [gone, stays]) == {gone}


def order(app: App, request: UUID, person: UUID) -> dict[str, object]:
    """The event reaches a follower in a process of its own, for eventlet's sake; answers its receipt."""
    settings = app.settings
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(FOLLOWER), str(request), str(person)],
        env={
            "CRM_DATABASE_URL": settings.database_url.get_secret_value(),
            "CRM_KEYRING_URL": settings.keyring_url.get_secret_value(),
            "CRM_KEK_FILE": str(settings.kek_file),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    rows = app.reader.rows("select body from outbox order by seq desc limit 1")
    receipt: dict[str, object] = json.loads(rows[0].body)["data"]
    return receipt
