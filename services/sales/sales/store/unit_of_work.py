"""The sales service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.pure.grants import Principal
from kernel.sql import subjects
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork
from sales.config import SalesSettings
from sales.store.contract_queries import refuse_kept
from sales.store.contracts import ContractRepository
from sales.store.customers import CustomerProjection
from sales.store.documents import DocumentRepository
from sales.store.erasures import ErasureRepository
from sales.store.follow_ups import FollowUpRepository
from sales.store.forms import FormRepository
from sales.store.lead_rules import RuleRepository
from sales.store.leads import LeadRepository
from sales.store.opportunities import OpportunityRepository
from sales.store.orders import OrderRepository
from sales.store.products import ProductRepository
from sales.store.sellers import SellerRepository
from sales.usecases.ports import CONTRACT_KEYS, OPERATIONAL_KEYS


@dataclass(frozen=True)
class Seals:
    """Who seals what: words about customers and their contracts under their keys of two classes,
    filled-in forms each under its own."""

    subjects: Sealer
    contracts: Sealer
    intake: Sealer

    @property
    def of_documents(self) -> dict[str, Sealer]:
        """Who seals documents, by the class of their keys."""
        return {OPERATIONAL_KEYS: self.subjects, CONTRACT_KEYS: self.contracts}


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
        self.opportunities = OpportunityRepository(self.session, principal, self.now)
        self.contracts = ContractRepository(self.session, principal, seals.contracts, self.now)
        self.documents = DocumentRepository(self.session, seals.of_documents, self.now)
        self.erasures = ErasureRepository(self.session)
        self.contract_kept_years = settings.contract_kept_years
        self.default_pipeline = settings.default_pipeline

    def refuse_restricted(self, customer_id: UUID) -> None:
        """Raises SubjectRestricted when the customer's data may not be used now."""
        subjects.refuse_restricted(self.reader, [customer_id])

    def refuse_kept(self, customer_id: UUID) -> None:
        """Raises SubjectRestricted when the customer's contracts may be kept and not used."""
        refuse_kept(self.reader, customer_id)
