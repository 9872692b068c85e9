"""Contracts are drafted, signed, watched, renewed and cancelled (S-22, S-29, S-34)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from kernel.pure.clock import day_start, parse_date, today
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id
from sales.domain.contract import Contract, ContractStatus, Template, Terms, read_template
from sales.domain.errors import ContractNotFound
from sales.domain.events import ChangedContract, ContractsChanged
from sales.domain.opportunity import Opportunity
from sales.usecases.ports import SIGN_CONTRACTS, WATCH_CONTRACT, Work

MANAGE = "sales.contracts.manage"
RENEW = "sales.contracts.renew"


def create_template(work: Work, template: Template) -> Template:
    """Stores the next version of a template. Raises Invalid."""
    stored = work.contracts.add_template(read_template(template))
    work.audit("create", "contract_template", stored.id, version=stored.version)
    return stored


def draft_contract(work: Work, template: Template, terms: Terms, opportunity: Opportunity) -> Contract:
    """A contract that a job will render and sign."""
    contract = Contract(
        id=new_id(),
        version=1,
        number=work.contracts.next_number(),
        customer_id=opportunity.customer_id,
        template_id=template.id,
        template_version=template.version,
        terms=terms,
        owner_id=opportunity.owner_id,
        opportunity_id=opportunity.id,
    )
    return _add(work, contract)


def sign_contract(work: Work, contract_id: UUID, data: bytes) -> None:
    """Keeps the signed PDF of a draft; a contract that is no draft any more stays as it is."""
    contract = work.contracts.lend(contract_id, MANAGE)
    if contract.status is not ContractStatus.DRAFT:
        return
    document_id = new_id()
    work.documents.add(document_id, contract.customer_id, "contract", f"{contract.number}.pdf", data)
    contract = _save(work, contract.signed(document_id, work.now), "sign")
    _watch(work, contract.aged(today(work.clock)), contract)


def age_contracts(work: Work, contract_ids: Sequence[UUID]) -> None:
    """Tells contracts that are about to end, or have ended."""
    for contract_id in contract_ids:
        try:
            contract = work.contracts.lend(contract_id, MANAGE)
        except ContractNotFound:
            continue
        _watch(work, contract.aged(today(work.clock)), contract)


def renew_contract(work: Work, contract_id: UUID, ends_on: str) -> Contract:
    """A new contract with the same lines, from the day after the old one's end to `ends_on`.

    Raises Invalid, ContractNotFound, ContractNotSigned, ContractHasEnded, SubjectRestricted.
    """
    old = work.contracts.lend(contract_id, RENEW)
    work.refuse_kept(old.customer_id)
    starts_on = date.fromordinal(old.terms.ends_on.toordinal() + 1)
    checks = Checks()
    day = parse_date(ends_on, lambda rule, en, zh: checks.refuse("ends_on", rule, en, zh))
    if day is not None and day < starts_on:
        en, zh = "must lie after the end of the old contract", "必须晚于原合同的结束日期"
        checks.refuse("ends_on", "DATE_ORDER", en, zh)
    checks.raise_if_any()
    new_contract_id = new_id()
    renewed = old.renewed(new_contract_id)
    assert day is not None
    contract = Contract(
        id=new_contract_id,
        version=1,
        number=work.contracts.next_number(),
        customer_id=old.customer_id,
        template_id=old.template_id,
        template_version=old.template_version,
        terms=Terms(old.terms.lines, starts_on, day, old.terms.variables),
        owner_id=old.owner_id,
        opportunity_id=old.opportunity_id,
    )
    _save(work, renewed, "renew")
    work.cancel(WATCH_CONTRACT, str(old.id))
    return _add(work, contract)


def cancel_contract(work: Work, contract_id: UUID) -> Contract:
    """Raises ContractNotFound, ContractHasEnded."""
    contract = _save(work, work.contracts.lend(contract_id, MANAGE).cancelled(), "cancel")
    work.cancel(WATCH_CONTRACT, str(contract.id))
    return contract


def _add(work: Work, contract: Contract) -> Contract:
    work.contracts.add(contract)
    work.audit("create", "contract", contract.id, number=contract.number)
    work.defer(SIGN_CONTRACTS)
    _tell(work, contract)
    return contract


def _watch(work: Work, aged: Contract, before: Contract) -> None:
    """Stores what time has changed, and looks again when time will change it next."""
    if aged is not before:
        _save(work, aged, "age")
    look = aged.next_look()
    if look is not None:
        work.schedule(WATCH_CONTRACT, str(aged.id), day_start(look, work.clock.zone))


def _save(work: Work, contract: Contract, action: str) -> Contract:
    work.contracts.save(contract)
    work.audit(action, "contract", contract.id, status=contract.status.value)
    _tell(work, contract)
    return contract


def _tell(work: Work, contract: Contract) -> None:
    total = contract.terms.total
    work.record(
        ContractsChanged(
            (
                ChangedContract(
                    contract_id=contract.id,
                    version=contract.version,
                    customer_id=contract.customer_id,
                    opportunity_id=contract.opportunity_id,
                    status=contract.status.value,
                    starts_on=contract.terms.starts_on,
                    ends_on=contract.terms.ends_on,
                    amount=total.amount,
                    currency=total.currency,
                ),
            )
        )
    )
