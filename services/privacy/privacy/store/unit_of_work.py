"""The privacy service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.uow import UnitOfWork
from privacy.config import PrivacySettings
from privacy.store.audits import AuditRepository
from privacy.store.consents import ConsentRepository
from privacy.store.persons import PersonProjection
from privacy.store.purposes import PurposeRepository


class PrivacyWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, settings: PrivacySettings, blind: BlindIndex) -> None:
        super().__init__(app, principal)
        self.law = settings.jurisdiction
        self.audits = AuditRepository(self.session)
        self.purposes = PurposeRepository(self.session)
        self.consents = ConsentRepository(self.session, principal, blind, self.now)
        self.persons = PersonProjection(self.session, self.reader, principal)
