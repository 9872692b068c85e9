"""The ledger says the same in whatever order it was written, and can't be changed unseen."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from crm.event.v1.events_pb2 import AuditSealed
from kernel.bus.envelope import parse
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.sql.audit_chain import seal_audit
from privacy.domain.consents import Channel, Proof, Said, State, Via, last_word
from privacy.events.subscriptions import PrivacyEvents
from privacy.store.ledger import first_fault
from privacy.usecases.record_consents import withdraw
from privacy.wiring import PrivacyApp
from tests.privacy.conftest import NOON
from tests.privacy.people import person

ITSELF = Principal.service("privacy")
SEED, EVENTS = 20261130, 3_000
NEWEST = "where id = (select max(id::text)::uuid from consent_events)"


def spoken(chance: Random, persons: list[Any]) -> Said:
    """Instants are few, so that many words are said at the same one."""
    return Said(
        id=new_id(),
        subject_id=chance.choice(persons),
        purpose_id=chance.choice(["service", "marketing"]),
        channel=chance.choice([Channel.ALL, Channel.EMAIL, Channel.SMS]),
        state=chance.choice(list(State)),
        effective_at=NOON + timedelta(minutes=chance.randrange(40)),
        via=Via.WEB,
        major_version=chance.randrange(3),
    )


def settled(app: PrivacyApp, said: list[Said], chance: Random) -> dict[Any, Any]:
    """The last words after these were said in a random order, in batches of random sizes."""
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate consents")
    left = chance.sample(said, len(said))
    while left:
        size = chance.randint(1, 200)
        batch, left = left[:size], left[size:]
        with app.work(ITSELF) as work:
            work.consents.settle(batch)
    rows = app.reader.rows("select subject_id, purpose_id, channel, event_id, state from consents")
    return {(row.subject_id, row.purpose_id, row.channel): (row.event_id, row.state) for row in rows}


def test_thousands_of_words_in_any_order_say_the_same(app: PrivacyApp) -> None:
    chance = Random(SEED)
    persons = [new_id() for _ in range(12)]
    said = [spoken(chance, persons) for _ in range(EVENTS)]
    wanted = {}
    for key in {one.key for one in said}:
        word = last_word([one for one in said if one.key == key])
        assert word is not None
        wanted[key[0], key[1], key[2].value] = (word.id, word.state.value)
    for _ in range(3):
        assert settled(app, said, chance) == wanted


def recorded(app: PrivacyApp) -> None:
    """Two persons said something, and what was audited of it is sealed and kept."""
    for _ in range(2):
        with app.work(ITSELF) as work:
            withdraw(work, person(app), "marketing", Channel.EMAIL, Via.WEB, Proof(form="register/7"))
    while seal_audit(app):
        continue
    for row in app.reader.rows(
        "select body from outbox where type = 'crm.event.v1.AuditSealed' order by seq"
    ):
        envelope, event = parse(row.body, AuditSealed)
        with app.work(ITSELF) as work:
            PrivacyEvents().keep_audit(work, event, envelope)


def test_an_untouched_ledger_is_found_whole(app: PrivacyApp) -> None:
    recorded(app)
    assert app.reader.rows("select count(*) from sealed_entries where action = 'record_consent'") == [(2,)]
    assert first_fault(app.reader, NOON + timedelta(days=2)) is None


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (f"update consent_events set state = 'granted' {NEWEST}", "ALTERED"),
        ("update consent_events set proof = '{}'", "ALTERED"),
        (f"delete from consent_events {NEWEST}", "DELETED"),
        (
            "insert into consent_events select gen_random_uuid(), subject_ref, purpose_id, channel,"
            " 'granted', effective_at, expires_at, via, proof, notice_id, major_version, separate,"
            " actor_kind, actor_id, recorded_at from consent_events limit 1",
            "ADDED",
        ),
    ],
)  # fmt: skip
def test_whatever_the_owner_of_the_database_changes_is_found(app: PrivacyApp, harm: str, why: str) -> None:
    recorded(app)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql(harm)
    fault = first_fault(app.reader, NOON + timedelta(days=2))
    assert fault is not None
    assert fault.why == why
