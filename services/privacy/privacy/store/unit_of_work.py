"""The privacy service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from kernel.pure.grants import Principal
from kernel.pure.signing import Signer
from kernel.sql import subjects
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.uow import UnitOfWork
from privacy.config import PrivacySettings
from privacy.domain import certificates
from privacy.store.audits import AuditRepository
from privacy.store.consents import ConsentRepository
from privacy.store.erasures import ErasureRepository
from privacy.store.forgetting import Forgetting
from privacy.store.holds import HoldRepository
from privacy.store.persons import PersonProjection
from privacy.store.purposes import PurposeRepository
from privacy.store.sends import SendRepository
from privacy.store.standings import StandingRepository


class PrivacyWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, settings: PrivacySettings, blind: BlindIndex) -> None:
        super().__init__(app, principal)
        self.law = settings.jurisdiction
        self.erasure_days = settings.erasure_days
        self.proof_years = settings.proof_years
        self.erasures = ErasureRepository(self)
        self.holds = HoldRepository(self.session)
        self.forgetting = Forgetting(self.session, blind)
        self.audits = AuditRepository(self.session)
        self.standings = StandingRepository(self)
        self.purposes = PurposeRepository(self.session)
        self.consents = ConsentRepository(self.session, principal, blind, self.now)
        self.sends = SendRepository(self, blind, self.now)
        self.persons = PersonProjection(self.session, self.reader, principal)

    def erased(self, subject_ids: Collection[UUID]) -> set[UUID]:
        """Those who were erased: nothing more is written of them."""
        return subjects.erased(self, subject_ids)

    @property
    def certificates(self) -> Signer:
        """Signs certificates of erasures; its key is in the service's keyring."""
        return Signer(self.app.keyring.service_key("certificates", "1"), certificates.PURPOSE)
