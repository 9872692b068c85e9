"""The marketing service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.uow import UnitOfWork
from marketing.store.campaigns import CampaignRepository
from marketing.store.caps import CapRepository
from marketing.store.links import LinkRepository
from marketing.store.messages import MessageRepository
from marketing.store.suppressions import SuppressionRepository


class MarketingWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, blind: BlindIndex) -> None:
        super().__init__(app, principal)
        self.campaigns = CampaignRepository(self.session)
        self.messages = MessageRepository(self.session)
        self.links = LinkRepository(self.session)
        self.caps = CapRepository(self.session, self.now)
        self.suppressions = SuppressionRepository(self.session, blind)
