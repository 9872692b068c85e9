"""The customer service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from customer.store.classes import ClassRepository
from customer.store.customers import CustomerRepository
from customer.store.deals import DealRepository
from customer.store.erasing import ErasingRepository
from customer.store.exporting import Exporting
from customer.store.exports import ExportRepository
from customer.store.group_rules import Today
from customer.store.groups import GroupRepository
from customer.store.history import History
from customer.store.importing import Importing
from customer.store.imports import ImportRepository
from customer.store.indexing import Indexer
from customer.store.interactions import InteractionRepository
from customer.store.matching import MatchRepository
from customer.store.memberships import MembershipRepository
from customer.store.merges import MergeRepository
from customer.store.orders import OrderRepository
from customer.store.pairs import PairRepository
from customer.store.relations import RelationRepository
from customer.store.scans import ScanRepository
from customer.store.staging import StagingRepository
from customer.store.standing import StandingRepository
from customer.store.tickets import TicketRepository
from customer.store.uploads import UploadRepository
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.counters import Counters
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork


class CustomerWork(UnitOfWork):
    def __init__(
        self,
        app: App,
        principal: Principal,
        sealer: Sealer,
        indexer: Indexer,
        importing: Importing,
        exporting: Exporting,
        counters: Counters,
    ) -> None:
        super().__init__(app, principal)
        history = History(self.session, principal, sealer, self.now)
        self.customers = CustomerRepository(self.session, principal, sealer, indexer, history, self.now)
        self.purchases = OrderRepository(self.session, self.reader)
        self.deals = DealRepository(self.session)
        self.tickets = TicketRepository(self.session)
        self.merges = MergeRepository(self.session, principal, self.now)
        self.matches = MatchRepository(self.session, principal, sealer, indexer)
        self.pairs = PairRepository(self.session, principal, self.now)
        self.scans = ScanRepository(self.session, principal, self.now)
        today = Today(self.now.astimezone(self.clock.zone).date(), self.clock.zone)
        self.groups = GroupRepository(self.session, principal, self.now, today)
        self.memberships = MembershipRepository(self.session, self.now, today)
        self.erasing = ErasingRepository(self.session, self.now)
        self.counters = counters
        self.classes = ClassRepository(self.session, self.reader, self.clock.zone, self.now)
        self.standing = StandingRepository(self.session, principal)
        self.interactions = InteractionRepository(self.session, sealer, self.now)
        self.relations = RelationRepository(self.session, self.now)
        self.uploads = UploadRepository(
            self.session, principal, self.reader, importing.file_sealer, app.keyring
        )
        self.imports = ImportRepository(self.session, principal, self.now)
        self.staging = StagingRepository(self.session)
        self.exports = ExportRepository(self.session, principal, self.reader, exporting, self.now)

    def audit_apart(self, action: str, object_type: str, object_id: object) -> None:
        """Notes what stays noted even when this transaction is rolled back."""
        with UnitOfWork(self.app, self.principal) as apart:
            apart.audit(action, object_type, object_id)
