"""Opportunities, the funnel and contracts as callers see them."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sales.v1 import contract_service_pb2 as contracts
from crm.sales.v1 import opportunity_service_pb2 as rpc
from crm.type.v1.money_pb2 import Money
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from sales.wiring import SalesApp
from tests.sales.people import owners
from tests.support.api import Api, Refused

_RIGHTS = (
    "sales.opportunities.read", "sales.opportunities.update",
    "sales.pipelines.read", "sales.pipelines.manage",
    "sales.contracts.read", "sales.contracts.manage", "sales.contracts.download", "sales.contracts.renew",
)  # fmt: skip
MANAGER = Principal(PrincipalKind.USER, str(new_id()), dict.fromkeys(_RIGHTS, Scope.ALL))
TERMS = contracts.ContractTerms(
    template_id="standard",
    lines=[
        contracts.ContractLine(
            product="系统", quantity="2", unit_price=Money(amount="50.00", currency_code="CNY")
        )
    ],
    starts_on="2026-07-01",
    ends_on="2027-06-30",
    variables={"delivery_days": "15", "payment_terms": "货到付款"},
)


def ask(api: Api, method: str, request: Any, principal: Principal = MANAGER) -> Any:
    return api.call(f"crm.sales.v1.OpportunityService/{method}", request, principal)


def opened(api: Api, principal: Principal = MANAGER, customer_id: str = "", **told: Any) -> rpc.Opportunity:
    told = {"pipeline": "four_stage", "customer_id": customer_id or str(new_id()), **told}
    request = rpc.CreateOpportunityRequest(opportunity=rpc.Opportunity(**told))
    made: rpc.Opportunity = ask(api, "CreateOpportunity", request, principal)
    return made


def test_an_opportunity_is_read_as_it_was_told(api: Api) -> None:
    made = opened(api, amount=Money(amount="100.00", currency_code="CNY"), expected_close_on="2026-08-31")
    assert ask(api, "GetOpportunity", rpc.GetOpportunityRequest(id=made.id)) == made
    assert (made.stage, made.probability, made.amount.amount) == ("first_contact", 10, "100.00")
    assert (made.owner_id, made.status) == (MANAGER.id, rpc.OPPORTUNITY_STATUS_OPEN)


def test_opportunities_are_listed_by_filter_page_after_page(api: Api) -> None:
    made = [opened(api).id for _ in range(3)]
    opened(api, pipeline="six_stage")
    request = rpc.ListOpportunitiesRequest(page_size=2, filter='pipeline == "four_stage" && probability < 20')
    first = ask(api, "ListOpportunities", request)
    request.page_token = first.next_page_token
    second = ask(api, "ListOpportunities", request)
    found = [one.id for page in (first, second) for one in page.opportunities]
    assert (found, second.next_page_token) == (made[::-1], "")


def test_a_seller_sees_and_counts_their_own(api: Api, app: SalesApp) -> None:
    seller = Principal(PrincipalKind.USER, str(new_id()), dict.fromkeys(_RIGHTS, Scope.OWN))
    customer = new_id()
    owners(app, {customer: seller.user_id})
    other = opened(api, amount=Money(amount="7.00", currency_code="CNY"))
    own = opened(api, seller, str(customer), amount=Money(amount="5.00", currency_code="CNY"))
    ask(api, "MoveStage", rpc.MoveStageRequest(id=own.id, stage="need_confirmed"), seller)
    funnel = ask(api, "GetFunnel", rpc.GetFunnelRequest(pipeline="four_stage"), seller)
    assert [(s.stage, s.present, s.entered) for s in funnel.stages][:2] == [
        ("first_contact", 0, 1), ("need_confirmed", 1, 1),
    ]  # fmt: skip
    assert [a.amount for s in funnel.stages for a in s.amounts] == ["5.00"]
    with pytest.raises(Refused) as refused:
        ask(api, "GetOpportunity", rpc.GetOpportunityRequest(id=other.id), seller)
    assert refused.value.reason == "OPPORTUNITY_NOT_FOUND"


def test_a_won_opportunity_leads_to_its_contract(api: Api) -> None:
    made = opened(api, amount=Money(amount="1.00", currency_code="CNY"))
    won = ask(api, "WinOpportunity", rpc.WinOpportunityRequest(id=made.id, terms=TERMS))
    assert (won.status, won.stage, won.amount.amount) == (rpc.OPPORTUNITY_STATUS_WON, "deal", "100.00")
    service = "crm.sales.v1.ContractService"
    request = contracts.GetContractRequest(id=won.contract_id)
    contract = api.call(f"{service}/GetContract", request, MANAGER)
    assert (contract.status, contract.total.amount, contract.opportunity_id) == ("draft", "100.00", made.id)
    listed = contracts.ListContractsRequest(filter=f'opportunity_id == "{made.id}"')
    assert list(api.call(f"{service}/ListContracts", listed, MANAGER).contracts) == [contract]
    with pytest.raises(Refused) as refused:
        api.call(f"{service}/DownloadContract", contracts.DownloadContractRequest(id=contract.id), MANAGER)
    assert refused.value.reason == "CONTRACT_NOT_SIGNED"


def test_pipelines_and_templates_are_data(api: Api) -> None:
    stages = [
        rpc.Stage(id="viewing", title="看房", probability=20),
        rpc.Stage(id="deal", title="签约", probability=100, won=True),
    ]
    pipeline = rpc.Pipeline(id=f"house_{new_id().hex[:8]}", title="售房", stages=stages)
    ask(api, "CreatePipeline", rpc.CreatePipelineRequest(pipeline=pipeline))
    assert pipeline in ask(api, "ListPipelines", rpc.ListPipelinesRequest()).pipelines
    assert opened(api, pipeline=pipeline.id).stage == "viewing"
    with pytest.raises(Refused) as refused:
        ask(api, "CreatePipeline", rpc.CreatePipelineRequest(pipeline=pipeline))
    assert refused.value.reason == "PIPELINE_EXISTS"
    service = "crm.sales.v1.ContractService"
    clauses = [contracts.Clause(title="一", body="{customer}")]
    template = contracts.ContractTemplate(id=f"t_{new_id().hex[:8]}", title="试用合同", clauses=clauses)
    request = contracts.CreateContractTemplateRequest(template=template)
    versions = [api.call(f"{service}/CreateContractTemplate", request, MANAGER).version for _ in range(2)]
    assert versions == [1, 2]
