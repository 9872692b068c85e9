"""The customer service put together: what each of its processes starts from."""

from __future__ import annotations

from customer.config import CustomerSettings
from customer.store.indexing import Indexer
from customer.store.unit_of_work import CustomerWork
from kernel.ops.settings import Settings
from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.sealing import Sealer


class CustomerApp(App):
    service = "customer"

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.sealer = Sealer(self.keyring, installation="crm", service=self.service)
        self.indexer = Indexer(BlindIndex(self.keyring))

    def work(self, principal: Principal) -> CustomerWork:
        return CustomerWork(self, principal, self.sealer, self.indexer)


def build() -> CustomerApp:
    """The service as the environment describes it."""
    return CustomerApp(CustomerSettings())
