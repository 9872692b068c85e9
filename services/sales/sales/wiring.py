"""The sales service put together: what each of its processes starts from."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.counters import Counters, LocalCounters, RedisCounters, SharedCounters
from kernel.sql.crypto.sealing import Sealer
from sales import metrics
from sales.config import SalesSettings
from sales.store.holders import HOLDERS, INTAKE
from sales.store.unit_of_work import SalesWork, Seals
from sales.usecases.ports import CONTRACT_KEYS, OPERATIONAL_KEYS


class SalesApp(App):
    service = "sales"
    holders = HOLDERS
    settings: SalesSettings

    def __init__(self, settings: SalesSettings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.seals = Seals(
            subjects=self._sealer(OPERATIONAL_KEYS),
            contracts=self._sealer(CONTRACT_KEYS),
            intake=self._sealer(INTAKE),
        )
        self.counters = self._counters()

    def work(self, principal: Principal) -> SalesWork:
        return SalesWork(self, principal, self.settings, self.seals)

    def forget_intake(self, submission_ids: Collection[UUID]) -> None:
        """Destroys the keys of forms that are leads now."""
        self.keyring.destroy(submission_ids, [INTAKE])

    def _sealer(self, key_class: str) -> Sealer:
        return Sealer(self.keyring, installation="crm", service=self.service, key_class=key_class)

    def _counters(self) -> Counters:
        local = LocalCounters()
        if self.settings.redis_url is None:
            return local
        shared = RedisCounters(self.settings.redis_url.get_secret_value(), "sales:")
        self.on_close(shared.close)
        return SharedCounters(shared, local, metrics.submissions_are_counted_locally.set)


def build() -> SalesApp:
    """The service as the environment describes it."""
    return SalesApp(SalesSettings())
