"""The gateway service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from gateway.store.directory import ServiceAccountRepository, TeamRepository, UserRepository
from gateway.store.roles import RoleRepository
from gateway.store.sessions import SessionRepository
from gateway.store.signing import SigningKeyRepository
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork


class GatewayWork(UnitOfWork):
    def __init__(self, app: App, principal: Principal, sealer: Sealer) -> None:
        super().__init__(app, principal)
        self.users = UserRepository(self.session, sealer)
        self.teams = TeamRepository(self.session)
        self.roles = RoleRepository(self.session)
        self.service_accounts = ServiceAccountRepository(self.session)
        self.sessions = SessionRepository(self.session)
        self.signing_keys = SigningKeyRepository(self.session)
