"""From a hot lead to a signed contract, through the gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from crm.customer.v1.customer_pb2 import Customer, CustomerView
from crm.customer.v1.customer_service_pb2 import (
    GetCustomerRequest,
    GetCustomerViewRequest,
    ListCustomersRequest,
)
from crm.sales.v1 import contract_service_pb2 as contracts
from crm.sales.v1 import opportunity_service_pb2 as rpc
from crm.type.v1.money_pb2 import Money
from crm_cli.client import Refused, Session, wait_until
from crm_cli.tour.cdnow import today
from tests.support.pdf import text_of
from tests.system.test_leads import create, facts, hire, id_of, province

__all__ = ["hire", "province"]
_SOON = 90.0  # seconds
_PDF = b"%PDF-1.7 proposal " * 1000


def opened(session: Session, province: str, pipeline: str, **told: Any) -> rpc.Opportunity:
    """An opportunity of a new customer."""
    customer_id = create(session, province).customer_id
    request = rpc.CreateOpportunityRequest(
        opportunity=rpc.Opportunity(customer_id=customer_id, pipeline=pipeline, **told),
        request_id=str(uuid4()),
    )
    made: rpc.Opportunity = session.call(session.opportunities.CreateOpportunity, request)
    return made


def moved(session: Session, opportunity: rpc.Opportunity, stage: str) -> rpc.Opportunity:
    request = rpc.MoveStageRequest(id=opportunity.id, stage=stage, request_id=str(uuid4()))
    after: rpc.Opportunity = session.call(session.opportunities.MoveStage, request)
    return after


def terms(starts: int = 0, ends: int = 364) -> contracts.ContractTerms:
    """Two lines of 19,200 together; days from today."""
    day = today()
    return contracts.ContractTerms(
        template_id="standard",
        lines=[
            contracts.ContractLine(product="数据分析插件", quantity="2", unit_price=_cny("9000.00")),
            contracts.ContractLine(product="培训", quantity="1.5", unit_price=_cny("800.00")),
        ],
        starts_on=(day + timedelta(days=starts)).isoformat(),
        ends_on=(day + timedelta(days=ends)).isoformat(),
        variables={"delivery_days": "15", "payment_terms": "货到付款"},
    )


def won(session: Session, province: str, **days: int) -> rpc.Opportunity:
    made = opened(session, province, "four_stage", amount=_cny("20000.00"))
    request = rpc.WinOpportunityRequest(id=made.id, terms=terms(**days), request_id=str(uuid4()))
    after: rpc.Opportunity = session.call(session.opportunities.WinOpportunity, request)
    return after


def signed(session: Session, contract_id: str) -> contracts.Contract:
    def look() -> contracts.Contract | None:
        found = session.call(session.contracts.GetContract, contracts.GetContractRequest(id=contract_id))
        return found if found.status != "draft" else None

    return wait_until(look, _SOON)


@pytest.mark.feature("S-07")
def test_a_lead_becomes_an_opportunity_at_80_points_and_only_once(admin: Session, province: str) -> None:
    lead = create(admin, province, industry="不相干的行业")
    almost = facts(admin, lead.id, opened_mail=1, viewed_contract_template=1, joined_demo=1, budget=60_000)
    assert (almost.score, almost.opportunity_id) == (75, "")
    for _ in range(2):
        hot = facts(admin, lead.id, answered_call=1)
    assert (hot.score, bool(hot.opportunity_id)) == (90, True)
    request = rpc.ListOpportunitiesRequest(filter=f'lead_id == "{lead.id}"')
    [made] = admin.call(admin.opportunities.ListOpportunities, request).opportunities
    assert (made.id, made.customer_id, made.owner_id) == (hot.opportunity_id, lead.customer_id, hot.owner_id)


@pytest.mark.feature("S-18")
def test_the_pipeline_of_four_stages_ends_with_the_deal(admin: Session, province: str) -> None:
    assert _stages(admin, "four_stage") == ["初步接触", "需求确认", "报价", "成交"]
    made = opened(admin, province, "four_stage", amount=_cny("20000.00"))
    assert made.stage == "first_contact"
    assert moved(admin, moved(admin, made, "need_confirmed"), "quote").stage == "quote"
    with pytest.raises(Refused) as refused:
        moved(admin, made, "deal")
    assert refused.value.reason == "DEAL_NEEDS_WINNING"


@pytest.mark.feature("S-19")
def test_the_pipeline_of_six_stages_goes_on_after_the_deal(admin: Session, province: str) -> None:
    names = ["初步接触", "需求确认", "方案提交", "商务谈判", "成交", "售后"]
    assert _stages(admin, "six_stage") == names
    made = opened(admin, province, "six_stage", amount=_cny("20000.00"), probability=60)
    with pytest.raises(Refused) as refused:
        moved(admin, made, "after_sales")
    assert refused.value.reason == "NOT_WON_YET"
    _attach(admin, made)
    _win(admin, made)
    assert moved(admin, made, "after_sales").stage == "after_sales"


@pytest.mark.feature("S-20")
def test_an_opportunity_has_stage_amount_probability_and_owner(
    admin: Session, hire: Any, province: str
) -> None:
    seller, colleague = hire(province), hire()
    made = opened(seller, province, "six_stage", expected_close_on="2030-01-31")
    # Nobody has said the probability: that of the stage is shown.
    assert (made.stage, made.probability, made.owner_id) == ("first_contact", 10, id_of(seller))
    change = rpc.Opportunity(id=made.id, etag=made.etag, amount=_cny("120000.00"), probability=45)
    request = rpc.UpdateOpportunityRequest(opportunity=change, request_id=str(uuid4()))
    after = seller.call(seller.opportunities.UpdateOpportunity, request)
    assert (after.amount.amount, after.probability, after.expected_close_on) == (
        "120000.00", 45, "2030-01-31",
    )  # fmt: skip
    assert (after.stage, after.owner_id) == (made.stage, made.owner_id)
    improbable = rpc.Opportunity(id=made.id, probability=101)
    for wrong, reason in ((change, "STALE_ETAG"), (improbable, "INVALID_FIELDS")):
        again = rpc.UpdateOpportunityRequest(opportunity=wrong, request_id=str(uuid4()))
        with pytest.raises(Refused) as refused:
            seller.call(seller.opportunities.UpdateOpportunity, again)
        assert refused.value.reason == reason
    with pytest.raises(Refused) as refused:
        colleague.call(colleague.opportunities.GetOpportunity, rpc.GetOpportunityRequest(id=made.id))
    assert refused.value.reason == "OPPORTUNITY_NOT_FOUND"


@pytest.mark.feature("S-21")
def test_negotiation_asks_for_amount_probability_and_the_proposal(admin: Session, province: str) -> None:
    made = opened(admin, province, "six_stage")
    with pytest.raises(Refused) as refused:
        moved(admin, made, "negotiation")
    assert refused.value.reason == "STAGE_NEEDS"
    change = rpc.Opportunity(id=made.id, amount=_cny("1.00"), probability=60)
    request = rpc.UpdateOpportunityRequest(opportunity=change, request_id=str(uuid4()))
    admin.call(admin.opportunities.UpdateOpportunity, request)
    with pytest.raises(Refused) as refused:
        moved(admin, made, "negotiation")
    assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION
    _attach(admin, made)
    assert moved(admin, made, "negotiation").stage == "negotiation"
    kept = admin.call(admin.opportunities.GetProposal, rpc.GetProposalRequest(id=made.id))
    assert (kept.file_name, kept.data) == ("方案.pdf", _PDF)


@pytest.mark.feature("S-23")
def test_the_funnel_shows_what_is_in_each_stage(admin: Session, hire: Any, province: str) -> None:
    """Of a seller's own: others' opportunities are not counted."""
    seller = hire(province)
    first, second, lost = (opened(seller, province, "four_stage", amount=_cny("100.00")) for _ in range(3))
    for one in (first, lost):
        moved(seller, one, "need_confirmed")
    request = rpc.LoseOpportunityRequest(id=lost.id, reason="price", request_id=str(uuid4()))
    seller.call(seller.opportunities.LoseOpportunity, request)
    funnel = seller.call(seller.opportunities.GetFunnel, rpc.GetFunnelRequest(pipeline="four_stage"))
    assert [(stage.stage, stage.present, stage.entered) for stage in funnel.stages] == [
        ("first_contact", 1, 3), ("need_confirmed", 1, 2), ("quote", 0, 0), ("deal", 0, 0),
    ]  # fmt: skip
    assert [amount.amount for amount in funnel.stages[0].amounts] == ["100.00"]
    assert (funnel.won, funnel.lost, second.stage) == (0, 1, "first_contact")


@pytest.mark.feature("S-22")
def test_a_win_makes_the_customer_one_with_a_deal_and_links_the_contract(
    admin: Session, province: str
) -> None:
    made = opened(admin, province, "four_stage", amount=_cny("20000.00"))
    assert _known(admin, made.customer_id).deal_status == ""
    _win(admin, made)

    def view() -> CustomerView | None:
        request = GetCustomerViewRequest(id=made.customer_id)
        found: CustomerView = admin.call(admin.customers.GetCustomerView, request)
        linked = any(deal.contract_status == "signed" for deal in found.deals)
        return found if found.customer.deal_status == "won" and linked else None

    [deal] = wait_until(view, _SOON).deals
    contract = signed(admin, deal.contract_id)
    assert (contract.opportunity_id, contract.customer_id) == (made.id, made.customer_id)
    assert (deal.opportunity_id, deal.amount) == (made.id, contract.total)
    assert _known(admin, made.customer_id).deal_status == "won"
    listing = ListCustomersRequest(filter=f'deal_status == "won" && province == "{province}"')
    [listed] = admin.call(admin.customers.ListCustomers, listing).customers
    assert listed.id == made.customer_id


@pytest.mark.feature("S-29")
def test_a_won_opportunity_has_a_signed_contract_from_the_template(admin: Session, province: str) -> None:
    contract = signed(admin, won(admin, province).contract_id)
    assert (contract.status, contract.total.amount, contract.template_version) == ("signed", "19200.00", 1)
    assert [line.amount.amount for line in contract.lines] == ["18000.00", "1200.00"]
    request = contracts.DownloadContractRequest(id=contract.id)
    data = admin.call(admin.contracts.DownloadContract, request).data
    assert len(data) == contract.size
    shown = text_of(data)
    clauses = ("甲方：欧阳", "乙方：示例软件有限公司", "15天内完成交付", "货到付款", "争议解决")
    # Product, quantity, price and amount of each line, as they stand in the table side by side.
    table = ("数据分析插件29000.0018000.00", "培训1.5800.001200.00", "合计（CNY）19200.00")
    for words in (contract.number, *clauses, *table):
        assert words in shown
    verified = admin.call(admin.contracts.VerifyContract, contracts.VerifyContractRequest(id=contract.id))
    assert (verified.valid, verified.signer) == (True, "CRM document signer")


@pytest.mark.feature("S-34")
def test_contracts_that_end_within_30_days_are_told_and_those_that_have_ended(
    admin: Session, province: str
) -> None:
    days = {"signed": {"ends": 31}, "expiring": {"ends": 30}, "expired": {"starts": -10, "ends": -1}}
    made = {status: won(admin, province, **told).contract_id for status, told in days.items()}
    assert {status: signed(admin, contract_id).status for status, contract_id in made.items()} == {
        status: status for status in days
    }
    request = contracts.RenewContractRequest(
        id=made["expiring"], ends_on=(today() + timedelta(days=400)).isoformat(), request_id=str(uuid4())
    )
    renewal = admin.call(admin.contracts.RenewContract, request)
    assert renewal.starts_on == (today() + timedelta(days=31)).isoformat()
    old = signed(admin, made["expiring"])
    assert (old.status, old.renewed_by_id) == ("renewed", renewal.id)


def _known(session: Session, customer_id: str) -> Customer:
    found: Customer = session.call(session.customers.GetCustomer, GetCustomerRequest(id=customer_id))
    return found


def _stages(admin: Session, pipeline: str) -> list[str]:
    answer = admin.call(admin.opportunities.ListPipelines, rpc.ListPipelinesRequest())
    [found] = [one for one in answer.pipelines if one.id == pipeline]
    return [stage.title for stage in found.stages]


def _attach(session: Session, opportunity: rpc.Opportunity) -> None:
    request = rpc.AttachProposalRequest(
        id=opportunity.id, file_name="方案.pdf", data=_PDF, request_id=str(uuid4())
    )
    session.call(session.opportunities.AttachProposal, request)


def _win(session: Session, opportunity: rpc.Opportunity) -> None:
    request = rpc.WinOpportunityRequest(id=opportunity.id, terms=terms(), request_id=str(uuid4()))
    session.call(session.opportunities.WinOpportunity, request)


def _cny(amount: str) -> Money:
    return Money(amount=amount, currency_code="CNY")
