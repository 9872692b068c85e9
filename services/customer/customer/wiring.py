"""The customer service put together: what each of its processes starts from."""

from __future__ import annotations

from customer import metrics
from customer.config import CustomerSettings
from customer.store.exporting import Exporting
from customer.store.holders import HOLDERS
from customer.store.importing import Importing
from customer.store.indexing import Indexer
from customer.store.unit_of_work import CustomerWork
from kernel.ops.settings import Settings
from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.counters import Counters, LocalCounters, RedisCounters, SharedCounters
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.sealing import Sealer


class CustomerApp(App):
    service = "customer"
    holders = HOLDERS

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.sealer = Sealer(self.keyring, installation="crm", service=self.service)
        self.indexer = Indexer(BlindIndex(self.keyring))
        files = Sealer(self.keyring, installation="crm", service=self.service, key_class="file")
        self.importing = Importing(self, self.sealer, self.indexer, files)
        self.exporting = Exporting(self, self.sealer, files)

        self.counters = self._counters()

    def work(self, principal: Principal) -> CustomerWork:
        return CustomerWork(
            self, principal, self.sealer, self.indexer, self.importing, self.exporting, self.counters
        )

    def _counters(self) -> Counters:
        local = LocalCounters()
        if self.settings.redis_url is None:
            return local
        shared = RedisCounters(self.settings.redis_url.get_secret_value(), "customer:")
        self.on_close(shared.close)
        return SharedCounters(shared, local, metrics.questions_are_counted_locally.set)


def build() -> CustomerApp:
    """The service as the environment describes it."""
    return CustomerApp(CustomerSettings())
