"""Everything that happened with a customer in one list: in scope, through merges, masked, without gaps."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from crm.customer.v1 import timeline_service_pb2 as rpc
from customer.domain.errors import CustomerNotFound
from customer.store import timeline
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.sql.crypto.errors import KeyringUnavailable
from tests.customer.conftest import NOON
from tests.customer.timeline.world import Client, ask, buy, caller, company, delete, merge, note, person

WORDS = "想买紫色的沙发"
# The day of an order begins in Shanghai.
MIDNIGHT = datetime(2026, 6, 29, 16, tzinfo=UTC)


def kinds(entries: list[rpc.TimelineEntry]) -> list[str]:
    return [str(entry.WhichOneof("what")) for entry in entries]


def contents(app: CustomerApp, who: Principal, customer_id: UUID) -> list[str]:
    entries = Client(app, who).entries(customer_id)
    return [entry.interaction.content for entry in entries if entry.WhichOneof("what") == "interaction"]


def test_everything_that_happened_stands_in_one_list_newest_first(app: CustomerApp) -> None:
    me = caller()
    survivor, absorbed = person(app, me), person(app, me)
    interaction_id = note(app, me, survivor, WORDS, NOON - timedelta(days=3))
    order_id = buy(app, survivor, 30_000)
    merge(app, me, survivor, absorbed)
    merged, *changes, order, interaction = Client(app, me).entries(survivor)
    assert merged.merge == rpc.MergeFact(absorbed_id=str(absorbed), survivor_id=str(survivor))
    told = {entry.class_change.scheme: entry.class_change for entry in changes}
    assert told["spend_tier"] == rpc.ClassChange(scheme="spend_tier", **{"class": "important"})
    assert order.order.order_id == str(order_id)
    assert (order.order.ordered_on, order.order.base_amount.amount) == ("2026-06-30", "30000.00")
    assert (order.order.status, order.order.base_amount.currency_code) == ("paid", "CNY")
    assert order.occur_time.ToDatetime(tzinfo=UTC) == MIDNIGHT
    assert (interaction.interaction.id, interaction.interaction.content) == (str(interaction_id), WORDS)
    assert all(entry.customer_id == str(survivor) for entry in (merged, *changes, order, interaction))


def test_a_customer_with_whom_nothing_happened_has_an_empty_timeline(app: CustomerApp) -> None:
    me = caller()
    answer = Client(app, me).timeline(person(app, me))
    assert answer == rpc.ListTimelineResponse()


def test_pages_of_any_size_make_up_the_whole(app: CustomerApp, clock: FixedClock) -> None:
    """Also where many entries of all kinds share an instant, and several customers are one."""
    rng = random.Random(20260630)
    me = caller()
    survivor, *absorbed = (person(app, me) for _ in range(4))
    group = [survivor, *absorbed]
    for _ in range(12):
        clock.instant = MIDNIGHT + timedelta(hours=rng.randrange(3))
        note(app, me, rng.choice(group), "x", MIDNIGHT - timedelta(days=rng.randrange(3)))
        buy(app, rng.choice(group), rng.choice((1, 30_000)), rng.randrange(3))
        ask(app, rng.choice(group), MIDNIGHT - timedelta(days=rng.randrange(3)))
    for one in absorbed:
        merge(app, me, survivor, one)
    client = Client(app, me)
    whole = client.entries(survivor)
    assert set(kinds(whole)) == {"interaction", "order", "class_change", "merge", "ticket"}
    assert len(whole) == sum(
        int(app.reader.rows(f"select count(*) as n from {table}")[0].n)
        for table in ("interactions", "orders", "class_changes", "merges", "tickets")
    )
    instants = [entry.occur_time.ToDatetime() for entry in whole]
    assert instants == sorted(instants, reverse=True)
    assert len(set(instants)) < len(instants)
    for size in (1, 2, 3, 7, len(whole) - 1, len(whole)):
        assert client.entries(survivor, size) == whole


def test_entries_that_come_between_pages_do_not_shift_them(app: CustomerApp) -> None:
    me = caller()
    customer_id = person(app, me)
    old = [note(app, me, customer_id, at=NOON - timedelta(hours=hours)) for hours in range(1, 5)]
    client = Client(app, me)
    first = client.timeline(customer_id, size=2)
    note(app, me, customer_id)
    second = client.timeline(customer_id, 2, first.next_page_token)
    seen = [entry.interaction.id for entry in (*first.entries, *second.entries)]
    assert seen == [str(interaction_id) for interaction_id in old]
    assert not second.next_page_token


def test_a_page_token_belongs_to_its_customer_and_caller(app: CustomerApp) -> None:
    me, other = caller(Scope.ALL), caller(Scope.ALL)
    customer_id, another = person(app, me), person(app, me)
    for _ in range(2):
        note(app, me, customer_id)
    token = Client(app, me).timeline(customer_id, size=1).next_page_token
    for who, asked in ((me, another), (other, customer_id)):
        with pytest.raises(Invalid):
            Client(app, who).timeline(asked, 1, token)


def test_out_of_scope_unknown_and_deleted_look_the_same(app: CustomerApp) -> None:
    me = caller()
    deleted = person(app, me)
    delete(app, deleted)
    for customer_id in (person(app, caller()), deleted, new_id()):
        with pytest.raises(CustomerNotFound):
            Client(app, me).timeline(customer_id)


def test_without_the_right_to_read_customers_nothing_is_found(app: CustomerApp) -> None:
    me = caller(but=["customers.read"])
    with pytest.raises(CustomerNotFound):
        Client(app, me).timeline(person(app, me))


def test_a_view_is_noted_under_the_customer_that_was_shown(app: CustomerApp) -> None:
    me = caller()
    survivor, absorbed = person(app, me), person(app, me)
    merge(app, me, survivor, absorbed)
    client = Client(app, me)
    client.timeline(absorbed)
    assert client.viewed == [survivor]


def test_words_about_a_person_are_masked_for_whoever_may_not_read_them(app: CustomerApp) -> None:
    me = caller()
    customer_id = person(app, me)
    note(app, me, customer_id, WORDS, NOON - timedelta(hours=1))
    note(app, me, customer_id, "", NOON - timedelta(hours=2))
    assert contents(app, me, customer_id) == [WORDS, ""]
    agent, integration = caller(Scope.ALL, personal=None), caller(Scope.ALL, personal=Scope.ALL)
    assert contents(app, agent, customer_id) == ["***", ""]
    assert contents(app, integration, customer_id) == [WORDS, ""]


def test_the_right_to_read_personal_fields_ends_where_its_scope_ends(app: CustomerApp) -> None:
    seller, colleague = caller(), caller(Scope.ALL, personal=Scope.OWN)
    customer_id = person(app, seller)
    note(app, seller, customer_id, WORDS)
    assert contents(app, colleague, customer_id) == ["***"]


def test_words_about_a_company_are_not_masked(app: CustomerApp) -> None:
    me = caller(personal=None)
    customer_id = company(app, me)
    note(app, me, customer_id, WORDS)
    assert contents(app, me, customer_id) == [WORDS]


def test_whoever_reads_the_survivor_reads_the_words_about_those_merged_into_it(app: CustomerApp) -> None:
    """Whose the absorbed one was does not matter any more."""
    manager, mine, other = caller(Scope.ALL), caller(), caller()
    survivor, absorbed = person(app, mine), person(app, other)
    note(app, other, absorbed, WORDS)
    merge(app, manager, survivor, absorbed)
    for asked in (survivor, absorbed):
        assert contents(app, mine, asked) == [WORDS]
        with pytest.raises(CustomerNotFound):
            Client(app, other).timeline(asked)
    (entry,) = (e for e in Client(app, mine).entries(survivor) if e.WhichOneof("what") == "interaction")
    assert entry.customer_id == entry.interaction.customer_id == str(absorbed)


@pytest.mark.parametrize("make", [person, company])
def test_customers_in_the_portal_read_their_own_timeline_without_the_words_of_staff(
    app: CustomerApp, make: Callable[[CustomerApp, Principal], UUID]
) -> None:
    me = caller()
    survivor, absorbed, other = (make(app, me) for _ in range(3))
    note(app, me, survivor, "客户要求回电")
    order = buy(app, absorbed, 100)
    grants = {"customer.customers.read": Scope.SELF, "customer.personal.read": Scope.SELF}
    for merged in (False, True):
        if merged:
            merge(app, me, survivor, absorbed)
        seen_by = {
            one: Principal(me.kind, str(new_id()), grants, customer_id=one) for one in (survivor, absorbed)
        }
        told = {one: Client(app, portal).entries(one) for one, portal in seen_by.items()}
        words = [entry.interaction.content for entry in told[survivor] if entry.HasField("interaction")]
        assert len(words) == 1
        assert "回电" not in words[0]
        assert [entry.order.order_id for entry in told[absorbed] if entry.HasField("order")] == [str(order)]
        with pytest.raises(CustomerNotFound):
            Client(app, seen_by[survivor]).entries(other)
    # Both are one now, and read the same.
    assert told[survivor] == told[absorbed]


def test_after_a_merge_was_undone_each_has_its_own_timeline_again(app: CustomerApp) -> None:
    manager = caller(Scope.ALL, personal=Scope.ALL)
    survivor, absorbed = person(app, manager), person(app, manager)
    note(app, manager, absorbed, "before")
    merge(app, manager, survivor, absorbed)
    note(app, manager, absorbed, "while merged")
    with app.work(manager) as work:
        unmerge_customer(work, absorbed)
    assert contents(app, manager, survivor) == ["while merged"]
    assert contents(app, manager, absorbed) == ["before"]
    for customer_id in (survivor, absorbed):
        merges = [e for e in Client(app, manager).entries(customer_id) if e.WhichOneof("what") == "merge"]
        fact = {"absorbed_id": str(absorbed), "survivor_id": str(survivor)}
        assert [entry.merge for entry in merges] == [
            rpc.MergeFact(**fact, undone=True),
            rpc.MergeFact(**fact),
        ]
        assert {entry.customer_id for entry in merges} == {str(customer_id)}


def test_a_merge_that_was_undone_does_not_name_a_customer_out_of_scope(app: CustomerApp) -> None:
    manager, mine, other = caller(Scope.ALL), caller(), caller()
    survivor, absorbed = person(app, mine), person(app, other)
    merge(app, manager, survivor, absorbed)
    with app.work(manager) as work:
        unmerge_customer(work, absorbed)
    for who, own, named in ((mine, survivor, "survivor_id"), (other, absorbed, "absorbed_id")):
        undone, merged = Client(app, who).entries(own)
        assert merged.merge == rpc.MergeFact(**{named: str(own)})
        assert undone.merge == rpc.MergeFact(**{named: str(own)}, undone=True)


def test_a_ticket_stands_where_it_was_opened_as_it_stands_now(app: CustomerApp) -> None:
    """Under whichever id of the customer it was opened; nobody out of scope sees it."""
    manager, mine, other = caller(Scope.ALL), caller(), caller()
    survivor, absorbed = person(app, mine), person(app, other)
    opened, answered, closed = (NOON - timedelta(hours=hours) for hours in (5, 4, 1))
    ticket_id = ask(app, absorbed, opened, number="T00000007", kind="complaint", priority="urgent")
    merge(app, manager, survivor, absorbed)
    [waiting] = (e for e in Client(app, mine).entries(survivor) if e.HasField("ticket"))
    assert (waiting.ticket.status, waiting.ticket.HasField("answer_time")) == ("open", False)
    changed = {"number": "T00000007", "kind": "complaint", "priority": "urgent", "status": "closed"}
    ask(
        app, absorbed, opened,
        ticket_id=ticket_id, version=2, answered_at=answered, closed_at=closed, **changed,
    )  # fmt: skip
    note(app, mine, survivor, "", opened + timedelta(hours=1))
    entries = [e for e in Client(app, mine).entries(survivor) if not e.HasField("merge")]
    assert kinds(entries) == ["interaction", "ticket"]
    told = rpc.TicketFact(ticket_id=str(ticket_id), channel="phone", **changed)
    told.answer_time.FromDatetime(answered)
    told.close_time.FromDatetime(closed)
    assert (entries[1].ticket, entries[1].customer_id) == (told, str(absorbed))
    assert entries[1].occur_time.ToDatetime(tzinfo=UTC) == opened
    with pytest.raises(CustomerNotFound):
        Client(app, other).timeline(survivor)


def test_a_ticket_of_nobody_known_is_in_no_timeline_until_it_is_known(app: CustomerApp) -> None:
    me = caller()
    customer_id, other = person(app, me), person(app, me)
    ticket_id = ask(app, None)
    assert Client(app, me).entries(customer_id) == []
    ask(app, customer_id, ticket_id=ticket_id, version=2)
    assert kinds(Client(app, me).entries(customer_id)) == ["ticket"]
    assert Client(app, me).entries(other) == []


def test_a_class_that_was_lost_shows_the_one_before(app: CustomerApp) -> None:
    me = caller()
    survivor, absorbed = person(app, me), person(app, me)
    buy(app, absorbed, 30_000)
    merge(app, me, survivor, absorbed)
    changes = [
        (entry.customer_id, entry.class_change.previous_class, getattr(entry.class_change, "class"))
        for entry in Client(app, me).entries(survivor)
        if entry.class_change.scheme == "spend_tier"
    ]
    assert sorted(changes[:2]) == sorted([(str(survivor), "", "important"), (str(absorbed), "important", "")])
    assert changes[2:] == [(str(absorbed), "", "important")]


def test_while_the_keyring_is_away_the_timeline_goes_without_words(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = caller()
    person_id, company_id = person(app, me), company(app, me)
    for customer_id in (person_id, company_id):
        note(app, me, customer_id, WORDS)

    def away(*_: object) -> None:
        raise KeyringUnavailable

    monkeypatch.setattr(app.sealer, "open_page", away)
    assert contents(app, me, person_id) == [""]
    assert contents(app, me, company_id) == [WORDS]


def test_words_whose_key_was_destroyed_are_gone(app: CustomerApp) -> None:
    me = caller()
    customer_id = person(app, me)
    note(app, me, customer_id, WORDS)
    app.keyring.destroy([customer_id])
    assert contents(app, me, customer_id) == [""]


def test_a_page_reads_no_more_of_a_long_history_than_it_shows(app: CustomerApp) -> None:
    """Each kind of entry is read along its index: the tenth page costs what the first does."""
    me = caller()
    customer_id = person(app, me)
    with app.engine.begin() as connection:
        connection.exec_driver_sql(
            """
            insert into interactions (id, customer_id, kind, channel, occurred_at, content, actor_id,
                                      created_at)
            select gen_random_uuid(), %(id)s, 'visit', '', %(now)s - make_interval(mins => n), '', '', %(now)s
            from generate_series(1, 20000) n
            """,
            {"id": customer_id, "now": NOON},
        )
        connection.exec_driver_sql("analyze interactions")
    cursor = ((NOON - timedelta(minutes=10_000)).isoformat(), "0", "")
    rows = read_of_interactions(app, me, customer_id, cursor)
    assert rows <= 52


def read_of_interactions(app: CustomerApp, who: Principal, customer_id: UUID, cursor: tuple[str, ...]) -> int:
    """Rows that the statement of a page of 50 took from its index on interactions."""

    class Explaining:
        def rows(self, sql: str, params: object) -> list[object]:
            with app.engine.begin() as connection:
                found = connection.exec_driver_sql(f"explain (analyze, format json) {sql}", params)  # type: ignore[arg-type]
                self.plan = found.scalar_one()[0]["Plan"]
            return []

    reader = Explaining()
    timeline.list_timeline(reader, who, customer_id, cursor, 50, app.clock.zone)  # type: ignore[arg-type]

    def scans(plan: dict[str, object]) -> list[dict[str, object]]:
        below = [found for part in plan.get("Plans", ()) for found in scans(part)]  # type: ignore[attr-defined]
        return [*below, plan] if plan.get("Relation Name") == "interactions" else below

    (scan,) = scans(reader.plan)
    assert scan["Index Name"] == "interactions_by_customer"
    return int(scan["Actual Rows"]) + int(scan.get("Rows Removed by Filter", 0))  # type: ignore[call-overload]
