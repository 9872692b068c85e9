"""The sales service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork
from sales.config import SalesSettings
from sales.store.customers import CustomerProjection
from sales.store.follow_ups import FollowUpRepository
from sales.store.forms import FormRepository
from sales.store.lead_rules import RuleRepository
from sales.store.leads import LeadRepository
from sales.store.orders import OrderRepository
from sales.store.products import ProductRepository
from sales.store.sellers import SellerRepository


@dataclass(frozen=True)
class Seals:
    """Who seals what: words about customers under their keys, filled-in forms each under its own."""

    subjects: Sealer
    intake: Sealer


class SalesWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, settings: SalesSettings, seals: Seals) -> None:
        super().__init__(app, principal)
        self.base_currency = settings.base_currency
        self.order_days_ahead = settings.order_days_ahead
        self.orders = OrderRepository(self.session, self.now)
        self.products = ProductRepository(self.session, self.now)
        self.customers = CustomerProjection(self.session, principal)
        self.leads = LeadRepository(self.session, principal, seals.subjects, self.now)
        self.rules = RuleRepository(self.session, self.now)
        self.sellers = SellerRepository(self.session, principal, self.now)
        self.follow_ups = FollowUpRepository(self.session, principal, seals.subjects, self.now)
        self.forms = FormRepository(self.session, seals.intake, self.now)
