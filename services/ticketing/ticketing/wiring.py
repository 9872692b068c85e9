"""The ticketing service put together: what each of its processes starts from."""

from __future__ import annotations

from functools import cached_property

from kernel.mail.mailer import Mailer
from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.counters import Counters, LocalCounters, RedisCounters, SharedCounters
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.sealing import Sealer
from ticketing import metrics
from ticketing.config import TicketingSettings
from ticketing.domain.mail_tokens import MailTokens
from ticketing.store.holders import HOLDERS
from ticketing.store.unit_of_work import TicketingWork


class TicketingApp(App):
    service = "ticketing"
    holders = HOLDERS
    settings: TicketingSettings

    def __init__(self, settings: TicketingSettings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.sealer = Sealer(self.keyring, installation="crm", service=self.service)
        self.mail_sealer = Sealer(self.keyring, installation="crm", service=self.service, key_class="file")
        self.blind = BlindIndex(self.keyring)
        self.mailer = Mailer(settings.smtp_url, settings.mail_purposes, self.clock)
        self.on_close(self.mailer.close)
        self.counters = self._counters()

    def work(self, principal: Principal) -> TicketingWork:
        return TicketingWork(self, principal, self.sealer, self.mail_sealer, self.blind)

    @cached_property
    def mail_tokens(self) -> MailTokens:
        """By which answers to our mails find their ticket."""
        return MailTokens(self.keyring.service_key("mail-tokens", "1"), self.settings.mail_inbox)

    def _counters(self) -> Counters:
        local = LocalCounters()
        if self.settings.redis_url is None:
            return local
        shared = RedisCounters(self.settings.redis_url.get_secret_value(), "ticketing:")
        self.on_close(shared.close)
        return SharedCounters(shared, local, metrics.forms_are_counted_locally.set)


def build() -> TicketingApp:
    """The service as the environment describes it."""
    return TicketingApp(TicketingSettings())
