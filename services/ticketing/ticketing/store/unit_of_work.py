"""The ticketing service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import UnitOfWork
from ticketing.store.agents import AgentRepository
from ticketing.store.customers import CustomerProjection
from ticketing.store.decisions import DecisionRepository, RuleBookRepository
from ticketing.store.erasing import ErasingRepository
from ticketing.store.forms import FormRepository
from ticketing.store.mails import MailRepository
from ticketing.store.messages import MessageRepository
from ticketing.store.surveys import SurveyRepository
from ticketing.store.tickets import TicketRepository


class TicketingWork(UnitOfWork):
    def __init__(
        self, app: App, principal: Principal, sealer: Sealer, mail_sealer: Sealer, blind: BlindIndex
    ) -> None:
        super().__init__(app, principal)
        self.tickets = TicketRepository(self.session, principal, sealer, blind, self.now)
        self.messages = MessageRepository(self.session, sealer)
        self.mails = MailRepository(self.session, mail_sealer, app.keyring, blind, self.now)
        self.forms = FormRepository(self.session, self.now)
        self.surveys = SurveyRepository(self.session, sealer, self.now)
        self.decisions = DecisionRepository(self.session, self.now)
        self.rule_books = RuleBookRepository(self.session, self.now)
        self.agents = AgentRepository(self.session)
        self.customers = CustomerProjection(self.session, self.reader)
        self.erasing = ErasingRepository(self.session, app.keyring, blind)
