"""From a hot lead to a signed contract that is watched until it ends; on a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crm_cli.local import certificates
from crm_cli.local.install import CJK_FONTS
from kernel.jobs.job import Running
from kernel.jobs.timers import fire_due
from kernel.pure.clock import day_start
from kernel.pure.grants import Scope
from kernel.pure.ids import new_id
from kernel.pure.money import Money
from sales.api.signatures import verify
from sales.domain.contract import LineDraft, Template, TermsDraft
from sales.domain.errors import OpportunityNotFound
from sales.domain.opportunity import Figures, Opportunity
from sales.domain.reading import MoneyDraft
from sales.jobs.contract_pdf import NotSettable, set_contract
from sales.jobs.sign_contracts import SignContracts
from sales.jobs.watch_contracts import watch_contracts
from sales.store import document_queries
from sales.usecases import keep_contracts, sell
from sales.usecases.keep_contracts import MANAGE
from sales.usecases.ports import WATCH_CONTRACT
from sales.wiring import SalesApp
from tests.contracts.examples import promised, same_shape
from tests.sales.conftest import NOON
from tests.sales.leads.conftest import SERVICE, Desk, user
from tests.sales.leads.test_handing_out import heat
from tests.sales.people import owners
from tests.support.pdf import text_of

TERMS = TermsDraft(
    [
        LineDraft("数据分析插件", "2", MoneyDraft("9000.00", "CNY")),
        LineDraft("培训", "1.5", MoneyDraft("800.00", "CNY")),
    ],
    "2026-07-01",
    "2027-06-30",
    {"delivery_days": "15", "payment_terms": "货到付款"},
)


class Known:
    """Stands in for the customer service; who has no name must not be named."""

    def __init__(self, name: str | None = "欧阳建国") -> None:
        self.name = name

    def of(self, customer_id: UUID, contract_number: str) -> str | None:
        return self.name


def told(app: SalesApp, event: str) -> list[dict[str, Any]]:
    rows = app.reader.rows("select body from outbox where type = %(type)s order by seq", {"type": event})
    for row in rows:
        for promise in promised(event):
            same_shape(json.loads(row.body), promise)
    return [json.loads(row.body)["data"] for row in rows]


@pytest.fixture
def opportunity(desk: Desk) -> Opportunity:
    """One whose amount, probability and proposal are entered, in the first of six stages."""
    with desk.app.work(SERVICE) as work:
        told = Figures(probability=60)
        made = sell.create_opportunity(work, new_id(), "six_stage", told)
        sell.attach_proposal(work, made.id, "方案.pdf", b"%PDF" * 300_000)
        sell.update_opportunity(work, made.id, "", Figures(Money.parse("20000.00", "CNY")), ["amount"])
    return made


def win(desk: Desk, opportunity: Opportunity) -> UUID:
    with desk.app.work(SERVICE) as work:
        _, contract = sell.win_opportunity(work, opportunity.id, "standard", TERMS)
    return contract.id


def sign(desk: Desk, names: Known | None = None) -> None:
    SignContracts(desk.app, names or Known())(Running(desk.app, 1, lambda: False))


def status(desk: Desk, contract_id: UUID) -> str:
    row = desk.app.reader.row("select status from contracts where id = %(id)s", {"id": contract_id})
    assert row is not None
    return str(row.status)


def pdf_of(desk: Desk, contract_id: UUID) -> bytes:
    row = desk.app.reader.row("select document_id from contracts where id = %(id)s", {"id": contract_id})
    assert row is not None
    data = document_queries.whole(desk.app.reader, desk.app.seals.of_documents, row.document_id)
    assert data is not None
    return data


def test_a_lead_that_reaches_80_makes_one_opportunity_of_its_owner(desk: Desk) -> None:
    [owner] = desk.hire()
    lead = desk.take()
    for _ in range(3):
        heat(desk, lead.id)
    [made] = desk.app.reader.rows("select id, lead_id, owner_id, pipeline, stage from opportunities")
    assert (made.lead_id, made.owner_id, made.pipeline, made.stage) == (
        lead.id, owner, "six_stage", "first_contact",
    )  # fmt: skip
    row = desk.row(lead.id)
    assert (row.status, row.opportunity_id) == ("qualified", made.id)


def test_the_opportunity_goes_where_its_lead_goes(desk: Desk) -> None:
    desk.hire(2)
    lead = desk.take()
    heat(desk, lead.id)
    desk.pass_to(NOON + timedelta(hours=48))
    [made] = desk.app.reader.rows("select owner_id from opportunities")
    assert made.owner_id == desk.row(lead.id).owner_id != lead.owner_id


def test_a_proposal_is_sealed_and_comes_back_whole(desk: Desk, opportunity: Opportunity) -> None:
    [row] = desk.app.reader.rows("select proposal_id from opportunities")
    reader, sealers = desk.app.reader, desk.app.seals.of_documents
    assert document_queries.whole(reader, sealers, row.proposal_id) == b"%PDF" * 300_000
    assert document_queries.file_name(reader, sealers, row.proposal_id) == "方案.pdf"
    chunks = reader.rows("select sealed from document_chunks")
    assert [b"%PDF%PDF" in chunk.sealed for chunk in chunks] == [False, False]


def test_winning_drafts_a_contract_and_tells_both(desk: Desk, opportunity: Opportunity) -> None:
    contract_id = win(desk, opportunity)
    [won] = told(desk.app, "crm.sales.v1.OpportunityWon")
    assert (won["contractId"], won["amount"]) == (str(contract_id), "19200.00")
    assert told(desk.app, "crm.sales.v1.ContractsChanged")[0]["contracts"][0]["status"] == "draft"
    assert told(desk.app, "crm.sales.v1.OpportunitiesChanged")[-1]["opportunities"][0]["status"] == "won"


def test_a_contract_is_rendered_signed_and_proves_itself(desk: Desk, opportunity: Opportunity) -> None:
    contract_id = win(desk, opportunity)
    sign(desk)
    data, authority = pdf_of(desk, contract_id), desk.app.settings.tls_ca
    assert authority is not None
    assert status(desk, contract_id) == "signed"
    assert verify(data, authority.read_bytes(), datetime.now(UTC)) == "CRM document signer"
    changed = data.replace(b"/Type", b"/Typf", 1)
    assert verify(changed, authority.read_bytes(), datetime.now(UTC)) is None
    assert verify(b"no pdf", authority.read_bytes(), datetime.now(UTC)) is None


def test_a_signature_of_another_authority_proves_nothing(
    desk: Desk, opportunity: Opportunity, tmp_path: Path
) -> None:
    certificates.provide(tmp_path, ())
    contract_id = win(desk, opportunity)
    sign(desk)
    assert verify(pdf_of(desk, contract_id), (tmp_path / "ca.pem").read_bytes(), datetime.now(UTC)) is None


def test_a_missing_font_is_an_error_and_not_blank(
    desk: Desk, opportunity: Opportunity, tmp_path: Path
) -> None:
    contract_id = win(desk, opportunity)
    with desk.app.work(SERVICE) as work:
        contract = work.contracts.lend(contract_id, MANAGE)
        template = work.contracts.template("standard")
    with pytest.raises(NotSettable):
        set_contract(contract, template, "东海软件", "欧阳建国", tmp_path)
    shown = text_of(set_contract(contract, template, "东海软件", "欧阳建国", CJK_FONTS))
    for words in (
        "甲方：欧阳建国",
        "乙方：东海软件",
        "15天内完成交付",
        "货到付款",
        "数据分析插件29000.0018000.00",
    ):
        assert words in shown


def test_a_contract_of_an_enterprise_without_a_name_waits(
    desk: Desk, opportunity: Opportunity, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract_id = win(desk, opportunity)
    with monkeypatch.context() as changed:
        nameless = desk.app.settings.model_copy(update={"enterprise_name": ""})
        changed.setattr(desk.app, "settings", nameless)
        sign(desk)
    assert status(desk, contract_id) == "draft"
    sign(desk)
    assert status(desk, contract_id) == "signed"


def test_a_template_may_name_both_sides(desk: Desk, opportunity: Opportunity) -> None:
    clauses = (("双方", "甲方是{customer}，乙方是{enterprise}。"),)
    with desk.app.work(SERVICE) as work:
        keep_contracts.create_template(work, Template("both", 0, "合同", clauses, ()))
        terms = TermsDraft(TERMS.lines, TERMS.starts_on, TERMS.ends_on, {})
        _, contract = sell.win_opportunity(work, opportunity.id, "both", terms)
    sign(desk)
    assert "甲方是欧阳建国，乙方是东海软件。" in text_of(pdf_of(desk, contract.id))


def test_a_contract_of_one_who_must_not_be_named_waits(desk: Desk, opportunity: Opportunity) -> None:
    contract_id = win(desk, opportunity)
    sign(desk, Known(None))
    assert status(desk, contract_id) == "draft"
    sign(desk)
    assert status(desk, contract_id) == "signed"


@pytest.fixture
def in_time(desk: Desk) -> Iterator[Any]:
    """Says which statuses are told when days pass."""

    def passing(day: date) -> list[str]:
        desk.clock.instant = day_start(day, desk.clock.zone)
        while fire_due(desk.app, {WATCH_CONTRACT: watch_contracts}, desk.clock.instant):
            continue
        told_now = told(desk.app, "crm.sales.v1.ContractsChanged")
        return [one["contracts"][0]["status"] for one in told_now]

    yield passing
    desk.clock.instant = NOON


def test_a_contract_is_watched_until_it_ends(desk: Desk, opportunity: Opportunity, in_time: Any) -> None:
    win(desk, opportunity)
    sign(desk)
    assert in_time(date(2027, 5, 30)) == ["draft", "signed"]
    assert in_time(date(2027, 5, 31)) == ["draft", "signed", "expiring"]
    assert in_time(date(2027, 6, 30)) == ["draft", "signed", "expiring"]
    assert in_time(date(2027, 7, 1)) == ["draft", "signed", "expiring", "expired"]


def test_a_seller_can_not_win_the_opportunity_of_another(desk: Desk, opportunity: Opportunity) -> None:
    own = user()
    rights = {**own.grants, "sales.opportunities.update": Scope.OWN}
    me = type(own)(own.kind, own.id, rights)
    with pytest.raises(OpportunityNotFound), desk.app.work(me) as work:
        sell.win_opportunity(work, opportunity.id, "standard", TERMS)
    customer = new_id()
    owners(desk.app, {customer: me.user_id})
    with desk.app.work(me) as work:
        assert sell.create_opportunity(work, customer, "", Figures()).owner_id == me.user_id
