"""The sales service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.uow import UnitOfWork
from sales.config import SalesSettings
from sales.store.customers import CustomerProjection
from sales.store.orders import OrderRepository
from sales.store.products import ProductRepository


class SalesWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, settings: SalesSettings) -> None:
        super().__init__(app, principal)
        self.base_currency = settings.base_currency
        self.order_days_ahead = settings.order_days_ahead
        self.orders = OrderRepository(self.session, self.now)
        self.products = ProductRepository(self.session, self.now)
        self.customers = CustomerProjection(self.session)
