"""Audit rows that committed are in the chain, each once, and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from kernel.pure.audit_chain import Fault
from kernel.sql import audit_chain
from kernel.sql.app import App
from kernel.sql.audit_chain import BATCH, check_audit, seal_audit
from kernel.sql.uow import UnitOfWork
from tests.contracts.examples import promised, same_shape
from tests.kernel.privacy.conftest import NOON

Work = Callable[[], UnitOfWork]
SEALED = "crm.event.v1.AuditSealed"


def note(work: Work, *actions: str) -> None:
    with work() as open_work:
        for action in actions:
            open_work.audit(action, "order", "o-1", rows=len(actions))


def told(app: App) -> list[dict[str, Any]]:
    rows = app.reader.rows("select body from outbox where type = %s order by seq", (SEALED,))
    return [json.loads(row.body) for row in rows]


def sealed_actions(app: App) -> list[str]:
    query = "select a.action from audit_chain c join audit a on a.id = c.audit_id order by c.position"
    return [row.action for row in app.reader.rows(query)]


def test_committed_rows_are_sealed_once_and_in_order(app: App, work: Work) -> None:
    note(work, "create", "update")
    assert [seal_audit(app), seal_audit(app)] == [2, 0]
    note(work, "delete")
    assert seal_audit(app) == 1
    assert sealed_actions(app) == ["create", "update", "delete"]
    assert check_audit(app) is None


def test_a_row_that_commits_late_is_sealed_later_and_not_forgotten(app: App, work: Work) -> None:
    with work() as late:
        late.audit("late", "order", "o-1")
        note(work, "early")
        assert seal_audit(app) == 1
    assert seal_audit(app) == 1
    assert sealed_actions(app) == ["early", "late"]
    assert check_audit(app) is None


def test_what_is_told_is_what_was_promised(app: App, work: Work) -> None:
    note(work, "update")
    seal_audit(app)
    [envelope] = told(app)
    [promise] = promised(SEALED)
    # The example shows facts that are a list; those of a row are its own.
    same_shape({**envelope, "source": promise["source"]}, promise)
    assert envelope["source"] == "/crm/sales"
    assert envelope["data"]["entries"][0]["facts"] == '{"rows":1}'


def test_a_batch_is_told_in_parts_no_queue_chokes_on(app: App, work: Work, monkeypatch: Any) -> None:
    note(work, *(str(number) for number in range(BATCH + 1)))
    assert [seal_audit(app), seal_audit(app)] == [BATCH, 1]
    monkeypatch.setattr(audit_chain, "_LARGEST", 30)
    note(work, "a", "b", "c", "d")
    assert [seal_audit(app) for _ in range(4)] == [2, 2, 0, 0]
    assert [len(one["data"].get("entries", ())) for one in told(app)] == [BATCH, 1, 2, 2]


def test_a_checkpoint_is_signed_every_five_minutes_when_there_is_something_new(app: App, work: Work) -> None:
    def signed() -> list[int]:
        rows = app.reader.rows("select position from audit_checkpoints order by position")
        return [row.position for row in rows]

    note(work, "first")
    seal_audit(app)
    note(work, "second")
    seal_audit(app)
    assert signed() == [1]
    app.clock.instant = NOON + timedelta(minutes=5)
    seal_audit(app)
    assert signed() == [1, 2]
    assert told(app)[-1]["data"]["checkpoint"]["position"] == "2"
    app.clock.instant = NOON + timedelta(minutes=10)
    assert seal_audit(app) == 0
    assert signed() == [1, 2]


def test_sealers_at_once_make_one_chain(app: App, work: Work) -> None:
    for number in range(40):
        note(work, str(number))

    def seal() -> None:
        for _ in range(30):
            seal_audit(app)

    threads = [Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sealed_actions(app)) == 40
    assert check_audit(app) is None


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        ("update audit set actor_id = 'nobody' where action = 'b'", Fault(2, "ALTERED")),
        ("delete from audit where action = 'b'", Fault(2, "MISSING")),
        ("delete from audit_chain where position = 3", Fault(3, "TRUNCATED")),
        ("update audit_checkpoints set hash = sha256('x')", Fault(3, "CHECKPOINT_FORGED")),
    ],
)
def test_the_service_finds_what_was_done_to_its_own_rows(
    app: App, work: Work, tamper: str, fault: Fault
) -> None:
    note(work, "a", "b", "c")
    seal_audit(app)
    with app.engine.begin() as connection:
        connection.execute(text(tamper))
    assert check_audit(app) == fault
