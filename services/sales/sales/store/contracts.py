"""Contracts and their templates as rows; what was entered for a contract is sealed as contract data."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal
from kernel.pure.money import Money
from kernel.sql import scope, timers
from kernel.sql.crypto.sealing import Sealer
from sales.domain.contract import Contract, ContractStatus, Line, Template, Terms
from sales.domain.errors import ContractNotFound, TemplateNotFound
from sales.store.contract_queries import SEALED_IN
from sales.usecases.ports import WATCH_CONTRACT

_COLUMNS = """
    id, version, number, customer_id, opportunity_id, owner_id, template_id, template_version, status,
    starts_on, ends_on, lines, currency, total, sealed, document_id, signed_at, renewed_by
"""
_INSERT = f"""
    insert into contracts ({_COLUMNS}, created_at, updated_at)
    values (%(id)s, %(version)s, %(number)s, %(customer_id)s, %(opportunity_id)s, %(owner_id)s,
            %(template_id)s, %(template_version)s, %(status)s, %(starts_on)s, %(ends_on)s, %(lines)s::jsonb,
            %(currency)s, %(total)s, %(sealed)s, %(document_id)s, %(signed_at)s, %(renewed_by)s, %(now)s,
            %(now)s)
"""
# What a contract says never changes.
_UPDATE = """
    update contracts set version = %(version)s, status = %(status)s, document_id = %(document_id)s,
        signed_at = %(signed_at)s, renewed_by = %(renewed_by)s, updated_at = %(now)s
    where id = %(id)s
"""
_LEND = f"select {_COLUMNS} from contracts where id = %(id)s"
_LOCK = " for no key update"
_NUMBER = "select 'HT-' || lpad(nextval('contract_numbers')::text, 6, '0')"
_DRAFTS = "select id from contracts where status = 'draft' order by id limit %(limit)s"
_DRAFTS_OF = """
    select id from contracts where customer_id = any(%(ids)s) and status = 'draft'
    order by id for no key update
"""
_SIGNED_ENDS = "select ends_on from contracts where customer_id = any(%(ids)s) and document_id is not null"
_NEWEST = """
    select id, version, title, clauses, variables from contract_templates
    where id = %(id)s order by version desc limit 1
"""
_VERSION = """
    select id, version, title, clauses, variables from contract_templates
    where id = %(id)s and version = %(version)s
"""
# Two who add a version at once wait for each other here.
_ALONE = "select pg_advisory_xact_lock(hashtext('sales.contract_templates'))"
_ADD_TEMPLATE = """
    insert into contract_templates (id, version, title, clauses, variables)
    select %(id)s, coalesce(max(version), 0) + 1, %(title)s, %(clauses)s::jsonb, %(variables)s::text[]
    from contract_templates where id = %(id)s
    returning version
"""


class ContractRepository:
    def __init__(self, session: Session, principal: Principal, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._run = session.connection
        self._principal = principal
        self._sealer = sealer
        self._now = now

    def next_number(self) -> str:
        """A number that no contract has; one of a contract that came to nothing is not given again."""
        return str(self._run().exec_driver_sql(_NUMBER).scalar_one())

    def add(self, contract: Contract) -> None:
        variables = dict(contract.terms.variables)
        sealed = self._sealer.seal(SEALED_IN, contract.id, contract.customer_id, variables)
        self._run().exec_driver_sql(_INSERT, {**self._row(contract), "sealed": sealed})

    def lend(self, contract_id: UUID, permission: str) -> Contract:
        """The contract, locked with its timer, if the principal's grant of `permission` reaches its owner.

        Raises ContractNotFound.
        """
        # The timer first: one that fires holds its row before it comes to the contract.
        timers.hold(self._session, WATCH_CONTRACT, [str(contract_id)])
        in_reach, params = scope.predicate(self._principal, permission, "owner_id")
        found = self._run().exec_driver_sql(f"{_LEND} and {in_reach} {_LOCK}", {**params, "id": contract_id})
        row = found.first()
        if row is None:
            raise ContractNotFound
        return self._contract(row)

    def save(self, contract: Contract) -> None:
        self._run().exec_driver_sql(_UPDATE, self._row(contract))

    def drafts_of(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Ids of the drafts of customers, locked."""
        return list(self._run().exec_driver_sql(_DRAFTS_OF, {"ids": list(customer_ids)}).scalars())

    def signed_ends(self, customer_ids: Collection[UUID]) -> list[date]:
        """The last days of the contracts of customers that were signed."""
        return list(self._run().exec_driver_sql(_SIGNED_ENDS, {"ids": list(customer_ids)}).scalars())

    def drafts(self, limit: int) -> Collection[UUID]:
        """Contracts that wait to be signed, oldest first."""
        return list(self._run().exec_driver_sql(_DRAFTS, {"limit": limit}).scalars())

    def template(self, template_id: str, version: int | None = None) -> Template:
        """A version of a template, the newest by default. Raises TemplateNotFound."""
        params = {"id": template_id, "version": version}
        row = self._run().exec_driver_sql(_NEWEST if version is None else _VERSION, params).first()
        if row is None:
            raise TemplateNotFound(template=template_id)
        clauses = tuple((title, body) for title, body in row.clauses)
        return Template(row.id, row.version, row.title, clauses, tuple(row.variables))

    def add_template(self, template: Template) -> Template:
        """Stores the template as its next version."""
        self._run().exec_driver_sql(_ALONE)
        params = {
            "id": template.id,
            "title": template.title,
            "clauses": json.dumps(template.clauses, ensure_ascii=False),
            "variables": list(template.variables),
        }
        return replace(template, version=self._run().exec_driver_sql(_ADD_TEMPLATE, params).scalar_one())

    def _row(self, contract: Contract) -> dict[str, Any]:
        terms = contract.terms
        values = {name: value for name, value in vars(contract).items() if name != "terms"}
        return {
            **values,
            "status": contract.status.value,
            "starts_on": terms.starts_on,
            "ends_on": terms.ends_on,
            "lines": json.dumps([line.document() for line in terms.lines], ensure_ascii=False),
            "currency": terms.total.currency,
            "total": terms.total.amount,
            "now": self._now,
        }

    def _contract(self, row: Any) -> Contract:
        """The contract in a row; without variables when their key was destroyed."""
        # Empty when it was erased.
        sealed = row.sealed or None
        [variables] = self._sealer.open_page(SEALED_IN, [(row.id, row.customer_id, sealed)])
        lines = tuple(
            Line(product, Decimal(quantity), Money(Decimal(price), row.currency))
            for product, quantity, price in row.lines
        )
        return Contract(
            id=row.id,
            version=row.version,
            number=row.number,
            customer_id=row.customer_id,
            template_id=row.template_id,
            template_version=row.template_version,
            terms=Terms(lines, row.starts_on, row.ends_on, variables or {}),
            owner_id=row.owner_id,
            opportunity_id=row.opportunity_id,
            status=ContractStatus(row.status),
            document_id=row.document_id,
            signed_at=row.signed_at,
            renewed_by=row.renewed_by,
        )
