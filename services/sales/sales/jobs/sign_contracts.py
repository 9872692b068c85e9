"""Renders and signs drafts of contracts; the name of the customer is asked for, and kept in the PDF only."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from crm.customer.v1.contact_service_pb2 import GetContactsRequest
from kernel.jobs.job import Running
from kernel.ops.logs import logger
from kernel.pure.grants import Principal
from kernel.rpc.channel import Peers
from sales import metrics
from sales.domain.contract import Contract, ContractStatus
from sales.jobs.contract_pdf import NotSettable, set_contract, sign_pdf
from sales.usecases.keep_contracts import MANAGE, sign_contract
from sales.wiring import SalesApp

log = logger(__name__)

_METHOD = "crm.customer.v1.ContactService/GetContacts"
_CHUNK = 20
_SELF = Principal.service("sales")


class Names(Protocol):
    def of(self, customer_id: UUID, contract_number: str) -> str | None:
        """The name of a customer; None when it must not be used, or is gone."""


class CustomerNames:
    """Names as the customer service tells them; each answer is audited there."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def of(self, customer_id: UUID, contract_number: str) -> str | None:
        request = GetContactsRequest(customer_ids=[str(customer_id)], purpose=f"contract {contract_number}")
        contacts = self._peers.call(_METHOD, request, timeout=10).contacts
        usable = [contact for contact in contacts if not (contact.restricted or contact.deleted)]
        return usable[0].full_name if usable else None


class SignContracts:
    """The body of the job. Besides when a contract is drafted it runs each minute, for those that wait."""

    def __init__(self, app: SalesApp, names: Names) -> None:
        self._app = app
        self._names = names

    def __call__(self, running: Running) -> None:
        """Signs all drafts that can be; the others wait, counted and told in the log."""
        waiting = 0
        while True:
            with self._app.work(_SELF) as work:
                drafts = list(work.contracts.drafts(waiting + _CHUNK))[waiting:]
            metrics.contracts_waiting.set(len(drafts) + waiting)
            if not drafts:
                return
            for contract_id in drafts:
                if not self._sign(contract_id):
                    waiting += 1
                running.checkpoint()

    def _sign(self, contract_id: UUID) -> bool:
        """Whether the contract is no draft any more."""
        with self._app.work(_SELF) as work:
            contract: Contract = work.contracts.lend(contract_id, MANAGE)
            template = work.contracts.template(contract.template_id, contract.template_version)
        if contract.status is not ContractStatus.DRAFT:
            return True
        name = self._names.of(contract.customer_id, contract.number)
        if name is None:
            log.warning("contract not signed, customer can't be named", contract=str(contract_id))
            return False
        settings = self._app.settings
        if settings.contract_cert is None or settings.contract_key is None or settings.tls_ca is None:
            log.error("contract not signed, no certificate to sign with", contract=str(contract_id))
            return False
        if not settings.enterprise_name:
            log.error("contract not signed, the enterprise has no name", contract=str(contract_id))
            return False
        try:
            pdf = set_contract(contract, template, settings.enterprise_name, name, settings.fonts)
            data = sign_pdf(pdf, settings.contract_cert, settings.contract_key, settings.tls_ca)
        except NotSettable as error:
            log.error("contract not signed", contract=str(contract_id), why=str(error))
            return False
        with self._app.work(_SELF) as work:
            sign_contract(work, contract_id, data)
        metrics.contracts_signed.inc()
        return True
