"""crm.sales.v1.LeadRulesService"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from crm.sales.v1 import lead_pb2
from crm.sales.v1 import lead_rules_service_pb2 as rpc
from kernel.pure.clock import parse_date
from kernel.pure.errors import Checks
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call
from sales.api import lead_translate as translate
from sales.domain.assignment import Seller, read_seller
from sales.domain.errors import LeadRulesNotFound
from sales.domain.scoring import LeadRules, read_rules
from sales.domain.trying import Change, Sample, try_rules
from sales.store import lead_queries as queries
from sales.usecases.score_leads import activate_rules
from sales.wiring import SalesApp

_TRIED = 1_000
_EXAMPLES = 50


class LeadRulesServicer:
    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def list_lead_rules(self, request: rpc.ListLeadRulesRequest, call: Call) -> rpc.ListLeadRulesResponse:
        rows = queries.list_rules(self._app.reader)
        return rpc.ListLeadRulesResponse(
            rules=[
                translate.rules_message(LeadRules.of(r.version, r.document), r.in_force, r.created_at)
                for r in rows
            ]
        )

    def create_lead_rules(self, request: rpc.CreateLeadRulesRequest, call: Call) -> lead_pb2.LeadRules:
        rules = call.work.rules.add(read_rules(translate.rules_draft(request.rules)))
        call.open_work.audit("create", "lead_rules", rules.version)
        return translate.rules_message(rules, False, call.open_work.now)

    def explain_lead_rules(
        self, request: rpc.ExplainLeadRulesRequest, call: Call
    ) -> rpc.ExplainLeadRulesResponse:
        known = {row.version: row for row in queries.list_rules(self._app.reader)}
        if request.version not in known:
            raise LeadRulesNotFound
        rules = LeadRules.of(request.version, known[request.version].document)
        before = next(row.document["threshold"] for row in known.values() if row.in_force)
        tried = try_rules(rules, [Sample.of(row) for row in queries.sample(self._app.reader, _TRIED)], before)
        return rpc.ExplainLeadRulesResponse(
            leads=tried.leads,
            changed=tried.changed,
            reaching=tried.reaching,
            leaving=tried.leaving,
            examples=[_example(change) for change in tried.changes[:_EXAMPLES]],
        )

    def activate_lead_rules(self, request: rpc.ActivateLeadRulesRequest, call: Call) -> lead_pb2.LeadRules:
        return translate.rules_message(activate_rules(call.work, request.version), True, None)

    def list_seller_profiles(
        self, request: rpc.ListSellerProfilesRequest, call: Call
    ) -> rpc.ListSellerProfilesResponse:
        rows = queries.list_sellers(self._app.reader)
        return rpc.ListSellerProfilesResponse(profiles=[translate.profile_message(row) for row in rows])

    def update_seller_profile(
        self, request: rpc.UpdateSellerProfileRequest, call: Call
    ) -> lead_pb2.SellerProfile:
        seller = _seller(request.profile)
        read_seller(seller)
        call.open_work.audit("update", "seller_profile", seller.user_id)
        return translate.profile_message(call.work.sellers.put(seller))


def _seller(told: lead_pb2.SellerProfile) -> Seller:
    user_id: UUID = parse_id(told.user_id, "profile.user_id")
    return Seller(
        user_id=user_id,
        provinces=tuple(told.provinces),
        industries=tuple(told.industries),
        capacity=told.capacity,
        absent_from=_day("profile.absent_from", told.absent_from),
        absent_until=_day("profile.absent_until", told.absent_until),
    )


def _day(field: str, text: str) -> date | None:
    checks = Checks()
    day = parse_date(text, lambda rule, en, zh: checks.refuse(field, rule, en, zh)) if text else None
    checks.raise_if_any()
    return day


def _example(change: Change) -> rpc.ScoreChange:
    return rpc.ScoreChange(lead_id=str(change.lead_id), score_before=change.before, score_after=change.after)
