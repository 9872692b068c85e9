"""A person's data goes when it is ordered, rests when it is restricted; signed contracts are kept a while."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from crm.privacy.v1.events_pb2 import ErasureOrdered, SubjectsRestricted
from kernel.bus.envelope import parse
from kernel.jobs.job import Running
from kernel.pure.clock import day_start
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.pure.money import Money
from kernel.sql.crypto.errors import SubjectErased
from kernel.sql.subjects import SubjectRestricted
from sales.domain.opportunity import Figures
from sales.domain.scoring import Mail
from sales.events.subscriptions import SalesEvents
from sales.jobs.release_contracts import release
from sales.store import contract_queries, lead_queries, opportunity_queries, queries
from sales.usecases import keep_contracts, sell
from sales.usecases.record_orders import record_orders
from sales.usecases.score_leads import note_mails
from tests.contracts.examples import example, promised, same_shape
from tests.sales.drafts import order
from tests.sales.leads.conftest import SERVICE, Desk
from tests.sales.leads.test_ends import waiting
from tests.sales.leads.test_handing_out import follow_up, heat
from tests.sales.leads.test_selling import TERMS, sign, status
from tests.sales.leads.test_taking import rest
from tests.support.servers import eventually

RECEIPT = "crm.sales.v1.SubjectErased"
HANDLERS: dict[type[Message], Any] = {
    ErasureOrdered: SalesEvents.erase_subjects,
    SubjectsRestricted: SalesEvents.follow_restrictions,
}


def hear(desk: Desk, event_class: type[Message], data: dict[str, Any]) -> None:
    """The promised event about other persons reaches its handler."""
    body = example("sales", event_class.DESCRIPTOR.full_name)
    body["data"] |= data
    envelope, event = parse(json.dumps(body), event_class)
    with desk.app.work(SERVICE) as work:
        HANDLERS[event_class](SalesEvents(), work, event, envelope)


def erase(desk: Desk, customer_id: UUID) -> dict[str, Any]:
    """The receipt of the erasure that was ordered."""
    hear(desk, ErasureOrdered, {"subjectIds": [str(customer_id)]})
    sql = "select body from outbox where type = %(type)s order by seq desc limit 1"
    row = desk.app.reader.row(sql, {"type": RECEIPT})
    assert row is not None
    for promise in promised(RECEIPT):
        same_shape(json.loads(row.body), promise)
    told: dict[str, Any] = json.loads(row.body)["data"]
    return told


def count(desk: Desk, table: str) -> int:
    [row] = desk.app.reader.rows("select count(*) as n from " + table)
    return int(row.n)


def worked(desk: Desk) -> Any:
    """A hot lead with an opportunity, followed up, with a proposal; its customer opened a message."""
    desk.hire()
    lead = desk.take()
    heat(desk, lead.id)
    with desk.app.work(SERVICE) as work:
        note_mails(work, [Mail(new_id(), lead.customer_id, desk.clock.instant, None)])
    follow_up(desk, lead.id)
    row = desk.row(lead.id)
    with desk.app.work(SERVICE) as work:
        sell.attach_proposal(work, row.opportunity_id, "方案.pdf", b"%PDF")
    return row


def won(desk: Desk, opportunity_id: UUID) -> UUID:
    with desk.app.work(SERVICE) as work:
        opportunity = work.opportunities.lend(opportunity_id, sell.UPDATE)
        told = Figures(amount=Money.parse("20000.00", "CNY"), probability=60)
        sell.update_opportunity(work, opportunity.id, "", told, ["amount", "probability"])
        _, contract = sell.win_opportunity(work, opportunity_id, "standard", TERMS)
    return contract.id


def test_words_follow_ups_and_proposals_go_and_figures_stay(desk: Desk) -> None:
    row = worked(desk)
    told = erase(desk, row.customer_id)
    counts = {one["table"]: one.get("rows", 0) for one in told["counts"]}
    gone = ("follow_ups", "leads", "documents", "customer_facts", "keys")
    assert [counts[table] for table in gone] == [1, 1, 1, 1, 1]
    assert "retained" not in told
    left = desk.row(row.id)
    assert (left.sealed, left.status, left.score, left.source_channel) == (None, "closed", 85, "百度SEM")
    emptied = ("follow_ups", "documents", "document_chunks", "lead_facts", "customer_facts")
    assert [count(desk, table) for table in emptied] == [0, 0, 0, 0, 0]
    [opportunity] = desk.app.reader.rows("select status, proposal_id from opportunities")
    assert (opportunity.status, opportunity.proposal_id) == ("lost", None)
    assert count(desk, "timers") == 0


def test_erased_twice_finds_nothing_left(desk: Desk) -> None:
    customer_id = worked(desk).customer_id
    erase(desk, customer_id)
    again = erase(desk, customer_id)
    assert [one for one in again.get("counts", []) if one.get("rows")] == []


def test_nothing_is_sealed_for_an_erased_person_again(desk: Desk) -> None:
    customer_id = worked(desk).customer_id
    erase(desk, customer_id)
    with pytest.raises(SubjectErased):
        desk.take(contact=None, customer_id=customer_id)


def test_a_signed_contract_is_kept_out_of_use_for_three_years(desk: Desk) -> None:
    row = worked(desk)
    contract_id = won(desk, row.opportunity_id)
    sign(desk)
    told = erase(desk, row.customer_id)
    assert told["retained"] == [{"basis": "contract", "until": "2030-06-30", "rows": 1}]
    assert (count(desk, "documents"), status(desk, contract_id)) == (1, "signed")
    with pytest.raises(SubjectRestricted):
        contract_queries.refuse_kept(desk.app.reader, row.customer_id)
    for day, documents in ((date(2030, 6, 30), 1), (date(2030, 7, 1), 0)):
        desk.clock.instant = day_start(day, desk.clock.zone) + timedelta(hours=3)
        release(Running(desk.app, 1, lambda: False))
        assert count(desk, "documents") == documents
    with desk.app.work(SERVICE) as work, pytest.raises(SubjectErased):
        work.documents.add(contract_id, row.customer_id, "contract", "x.pdf", b"x")


def test_a_draft_is_cancelled(desk: Desk) -> None:
    row = worked(desk)
    contract_id = won(desk, row.opportunity_id)
    assert "retained" not in erase(desk, row.customer_id)
    assert status(desk, contract_id) == "cancelled"


def test_a_restricted_person_is_not_worked_on_until_released(desk: Desk) -> None:
    row = worked(desk)
    item = {"subjectId": str(row.customer_id), "requestId": str(row.id)}
    hear(desk, SubjectsRestricted, {"subjects": [{**item, "version": 1, "restricted": True}]})
    for attempt in (
        lambda: follow_up(desk, row.id),
        lambda: heat(desk, row.id),
        lambda: desk.take(contact=None, customer_id=row.customer_id),
    ):
        with pytest.raises(SubjectRestricted):
            attempt()
    hear(desk, SubjectsRestricted, {"subjects": [{**item, "version": 2}]})
    follow_up(desk, row.id)
    assert desk.take(contact=None, customer_id=row.customer_id).customer_id == row.customer_id


def test_what_was_never_signed_goes_although_another_contract_is_kept(desk: Desk) -> None:
    row = worked(desk)
    signed = won(desk, row.opportunity_id)
    sign(desk)
    with desk.app.work(SERVICE) as work:
        draft = keep_contracts.renew_contract(work, signed, "2028-06-30").id
    told = erase(desk, row.customer_id)
    assert told["retained"][0]["rows"] == 1
    assert {one["table"]: one.get("rows", 0) for one in told["counts"]}["contracts"] == 1
    rows = desk.app.reader.rows("select id, sealed = '' as erased from contracts")
    assert {(one.id, one.erased) for one in rows} == {(signed, False), (draft, True)}
    assert status(desk, draft) == "cancelled"


@pytest.mark.parametrize("why", ["restricted", "kept"])
def test_a_contract_that_is_not_for_use_is_not_renewed(desk: Desk, why: str) -> None:
    row = worked(desk)
    contract_id = won(desk, row.opportunity_id)
    sign(desk)
    if why == "kept":
        erase(desk, row.customer_id)
    else:
        rest(desk, row.customer_id)
    with pytest.raises(SubjectRestricted), desk.app.work(SERVICE) as work:
        keep_contracts.renew_contract(work, contract_id, "2028-06-30")


def test_what_ends_while_a_person_is_erased_is_left_as_it_is(desk: Desk) -> None:
    """An order to erase that met a lead somebody was just closing must not be lost for it."""
    row = worked(desk)
    failed: list[Exception] = []

    def ordered() -> None:
        try:
            erase(desk, row.customer_id)
        except Exception as error:
            failed.append(error)

    with desk.app.work(SERVICE) as work:
        sell.lose_opportunity(work, row.opportunity_id, "price")
        erasing = threading.Thread(target=ordered)
        erasing.start()
        eventually(lambda: waiting(desk) > 0)
    erasing.join(timeout=30)
    assert (failed, erasing.is_alive()) == ([], False)
    [opportunity] = desk.app.reader.rows("select status, loss_reason from opportunities")
    assert (opportunity.status, opportunity.loss_reason) == ("lost", "price")
    assert count(desk, "follow_ups") == 0


READS: list[tuple[str, Any, Any]] = [
    (
        "sales.leads.read",
        lambda reader, who, ids: lead_queries.get_lead(reader, who, ids["lead"]),
        lambda reader, who: lead_queries.list_leads(reader, who, "", None, 9),
    ),
    (
        "sales.opportunities.read",
        lambda reader, who, ids: opportunity_queries.get_opportunity(reader, who, ids["opportunity"]),
        lambda reader, who: opportunity_queries.list_opportunities(reader, who, "", None, 9),
    ),
    (
        "sales.contracts.read",
        lambda reader, who, ids: contract_queries.get_contract(reader, who, ids["contract"]),
        lambda reader, who: contract_queries.list_contracts(reader, who, "", None, 9),
    ),
    (
        "sales.orders.read",
        lambda reader, who, ids: queries.get_order(reader, who, ids["order"]),
        lambda reader, who: queries.list_orders(reader, who, None, None, 9),
    ),
]


@pytest.mark.parametrize(("permission", "get", "listed"), READS, ids=lambda value: str(value)[:30])
def test_what_sales_knows_of_a_restricted_person_is_shown_to_the_officer_only(
    desk: Desk, permission: str, get: Any, listed: Any
) -> None:
    row = worked(desk)
    with desk.app.work(SERVICE) as work:
        record_orders(work, [order(customer_id=str(row.customer_id))])
    [bought] = desk.app.reader.rows("select id from orders")
    contract_id = won(desk, row.opportunity_id)
    ids = {"lead": row.id, "opportunity": row.opportunity_id, "contract": contract_id, "order": bought.id}
    manager = Principal(PrincipalKind.USER, str(new_id()), {permission: Scope.ALL})
    officer = replace(manager, grants={**manager.grants, "customer.restricted.read": Scope.ALL})
    for who in (manager, officer):
        assert get(desk.app.reader, who, ids) is not None
        assert len(listed(desk.app.reader, who)) == 1
    rest(desk, row.customer_id)
    with pytest.raises(SubjectRestricted):
        get(desk.app.reader, manager, ids)
    assert listed(desk.app.reader, manager) == []
    assert get(desk.app.reader, officer, ids) is not None
    assert len(listed(desk.app.reader, officer)) == 1


def test_contracts_that_are_kept_of_an_erased_person_are_not_read(desk: Desk) -> None:
    row = worked(desk)
    contract_id = won(desk, row.opportunity_id)
    sign(desk)
    erase(desk, row.customer_id)
    with pytest.raises(SubjectRestricted):
        contract_queries.get_contract(desk.app.reader, SERVICE, contract_id)
    assert contract_queries.list_contracts(desk.app.reader, SERVICE, "", None, 9) == []
