"""What happened with a customer is kept, in scope, and nobody reads the words of a person in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from crm.customer.v1 import timeline_service_pb2 as rpc
from customer.api.timeline import TimelineServicer
from customer.domain.errors import CustomerNotFound
from customer.domain.interaction import KINDS, LONGEST_CONTENT
from customer.usecases.record_interaction import PERMISSION
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.rpc.methods import methods_of, service_descriptor
from tests.customer.conftest import NOON
from tests.customer.timeline.world import Client, caller, company, delete, merge, note, person

WORDS = "想买紫色的沙发"


def record(app: CustomerApp, who: Principal, customer_id: object, **fields: object) -> rpc.Interaction:
    told = rpc.Interaction(**{"kind": "INTERACTION_KIND_VISIT", **fields})  # type: ignore[arg-type]
    request = rpc.RecordInteractionRequest(customer_id=str(customer_id), interaction=told)
    answer: rpc.Interaction = Client(app, who).command("record_interaction", request)
    return answer


def test_every_method_of_the_contract_is_answered() -> None:
    declared = methods_of(service_descriptor("crm.customer.v1.TimelineService"))
    assert all(hasattr(TimelineServicer, method.python_name) for method in declared)


def test_every_kind_of_the_contract_is_known() -> None:
    declared = {name.removeprefix("INTERACTION_KIND_").lower() for name in dict(rpc.InteractionKind.items())}
    assert declared - {"unspecified"} == set(KINDS)


def test_an_interaction_is_answered_as_it_is_kept(app: CustomerApp) -> None:
    me = caller()
    customer_id = person(app, me)
    yesterday = NOON - timedelta(days=1)
    kept = record(
        app, me, customer_id, channel=" shop ", content=f" {WORDS}\r\n蓝色也行 ", occur_time=yesterday
    )
    assert kept.customer_id == str(customer_id)
    assert (kept.channel, kept.content, kept.actor_id) == ("shop", f"{WORDS}\n蓝色也行", me.id)
    assert kept.occur_time.ToDatetime(tzinfo=UTC) == yesterday
    (entry,) = Client(app, me).entries(customer_id)
    assert entry.interaction == kept


def test_an_interaction_without_an_instant_happened_now(app: CustomerApp) -> None:
    me = caller()
    kept = record(app, me, person(app, me))
    assert kept.occur_time.ToDatetime(tzinfo=UTC) == NOON


def test_the_words_about_a_person_are_nowhere_in_the_database(app: CustomerApp) -> None:
    me = caller()
    record(app, me, person(app, me), content=WORDS)
    for table in ("interactions", "outbox", "audit"):
        rows = app.reader.rows(f"select t::text as row from {table} t")
        assert rows
        assert not any("紫色" in row.row or "紫色".encode().hex() in row.row for row in rows)


def test_the_words_about_a_company_stand_in_clear(app: CustomerApp) -> None:
    me = caller()
    record(app, me, company(app, me), content=WORDS)
    assert app.reader.rows("select content, sealed from interactions") == [(WORDS, None)]


def test_an_interaction_without_words_needs_no_seal(app: CustomerApp) -> None:
    me = caller()
    record(app, me, person(app, me))
    assert app.reader.rows("select content, sealed from interactions") == [(None, None)]


def test_who_recorded_it_is_audited(app: CustomerApp) -> None:
    me = caller()
    customer_id = person(app, me)
    interaction_id = note(app, me, customer_id, WORDS)
    rows = app.reader.rows(
        "select actor_id, action, object_id, facts from audit where object_type = 'interaction'"
    )
    assert rows == [
        (me.id, "create", str(interaction_id), {"customer": str(customer_id), "kind": "consultation"})
    ]


def test_all_that_is_wrong_is_said_at_once(app: CustomerApp) -> None:
    me = caller()
    customer_id = person(app, me)
    with pytest.raises(Invalid) as refused:
        record(
            app,
            me,
            customer_id,
            kind="INTERACTION_KIND_UNSPECIFIED",
            channel="a\x07",
            content="好" * (LONGEST_CONTENT + 1),
            occur_time=NOON + timedelta(microseconds=1),
        )
    assert [(violation.field, violation.rule) for violation in refused.value.violations] == [
        ("interaction.kind", "REQUIRED"),
        ("interaction.channel", "CONTROL_CHARACTER"),
        ("interaction.content", "TOO_LONG"),
        ("interaction.occur_time", "IN_THE_FUTURE"),
    ]
    assert not app.reader.rows("select 1 as one from interactions")


def test_an_instant_outside_of_the_calendar_is_refused(app: CustomerApp) -> None:
    me = caller()
    with pytest.raises(Invalid) as refused:
        record(app, me, person(app, me), occur_time=Timestamp(seconds=10**15))
    assert [violation.field for violation in refused.value.violations] == ["interaction.occur_time"]


def test_an_instant_long_ago_is_fine(app: CustomerApp) -> None:
    me = caller()
    long_ago = datetime(1, 1, 1, tzinfo=UTC)
    kept = record(app, me, person(app, me), occur_time=Timestamp(seconds=int(long_ago.timestamp())))
    assert kept.occur_time.ToDatetime(tzinfo=UTC) == long_ago


def test_out_of_scope_unknown_and_deleted_look_the_same(app: CustomerApp) -> None:
    me = caller()
    foreign, deleted = person(app, caller()), person(app, me)
    delete(app, deleted)
    for customer_id in (foreign, deleted, new_id()):
        with pytest.raises(CustomerNotFound):
            record(app, me, customer_id)


def test_the_right_to_change_customers_is_not_that_to_record(app: CustomerApp) -> None:
    me = caller(but=["interactions.create"])
    with pytest.raises(CustomerNotFound):
        record(app, me, person(app, me))


def test_whoever_works_on_a_customer_records_too(app: CustomerApp) -> None:
    colleague = caller()
    customer_id = person(app, caller())
    with app.engine.begin() as connection:
        connection.exec_driver_sql(
            "update customers set collaborator_ids = array[%s::uuid] where id = %s",
            (colleague.id, customer_id),
        )
    assert record(app, colleague, customer_id).customer_id == str(customer_id)


def test_a_right_over_all_reaches_everybody(app: CustomerApp) -> None:
    agent = Principal(caller().kind, str(new_id()), {PERMISSION: Scope.ALL})
    customer_id = person(app, caller())
    assert record(app, agent, customer_id).customer_id == str(customer_id)


def test_what_is_recorded_under_an_absorbed_customer_belongs_to_the_survivor(app: CustomerApp) -> None:
    me = caller()
    survivor, absorbed = person(app, me), person(app, me)
    merge(app, me, survivor, absorbed)
    assert record(app, me, absorbed, content=WORDS).customer_id == str(survivor)
