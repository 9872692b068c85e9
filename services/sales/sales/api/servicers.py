"""Everything the sales service answers, by the full name of the service."""

from __future__ import annotations

from kernel.rpc.channel import Peers
from sales.api.contracts import ContractServicer
from sales.api.follow_ups import FollowUpServicer
from sales.api.forms import LeadFormServicer
from sales.api.lead_rules import LeadRulesServicer
from sales.api.leads import LeadServicer
from sales.api.opportunities import OpportunityServicer
from sales.api.orders import OrderServicer
from sales.api.people import CustomerService
from sales.api.products import ProductServicer
from sales.usecases.ports import People
from sales.wiring import SalesApp


def servicers(app: SalesApp, peers: Peers) -> dict[str, object]:
    people: People = CustomerService(peers)
    return {
        "crm.sales.v1.FollowUpService": FollowUpServicer(app),
        "crm.sales.v1.LeadFormService": LeadFormServicer(app),
        "crm.sales.v1.LeadRulesService": LeadRulesServicer(app),
        "crm.sales.v1.LeadService": LeadServicer(app, people),
        "crm.sales.v1.ContractService": ContractServicer(app),
        "crm.sales.v1.OpportunityService": OpportunityServicer(app),
        "crm.sales.v1.OrderService": OrderServicer(app),
        "crm.sales.v1.ProductService": ProductServicer(app),
    }
