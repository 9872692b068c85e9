"""The customer service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from customer.store.class_changes import ClassChangeRepository
from customer.store.classes import ClassRepository
from customer.store.customers import CustomerRepository
from customer.store.history import History
from customer.store.indexing import Indexer
from customer.store.interactions import InteractionRepository
from customer.store.merges import MergeRepository
from customer.store.orders import OrderRepository
from customer.store.relations import RelationRepository
from customer.store.standing import StandingRepository
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork


class CustomerWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, sealer: Sealer, indexer: Indexer) -> None:
        super().__init__(app, principal)
        history = History(self.session, principal, sealer, self.now)
        self.customers = CustomerRepository(self.session, principal, sealer, indexer, history, self.now)
        self.purchases = OrderRepository(self.session)
        self.merges = MergeRepository(self.session, principal, self.now)
        self.classes = ClassRepository(self.session, self.clock.zone)
        self.standing = StandingRepository(self.session, principal)
        self.interactions = InteractionRepository(self.session, sealer, self.now)
        self.relations = RelationRepository(self.session, self.now)
        self.class_changes = ClassChangeRepository(self.session, self.now)
