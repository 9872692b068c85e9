"""The projection of won opportunities and of their contracts, as sales tells them (S-22)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from customer.domain.told import ContractRow, DealRow
from kernel.sql.projection import take_over

_APPLY_DEALS = """
    insert into deals as held (opportunity_id, version, customer_id, contract_id, amount, currency, won_at)
    values (%(opportunity_id)s, %(version)s, %(customer_id)s, %(contract_id)s, %(amount)s, %(currency)s,
            %(won_at)s)
    on conflict (opportunity_id) do update
    set version = excluded.version, customer_id = excluded.customer_id, contract_id = excluded.contract_id,
        amount = excluded.amount, currency = excluded.currency, won_at = excluded.won_at
    where held.version < excluded.version
"""
_APPLY_CONTRACTS = """
    insert into contracts as held (contract_id, version, customer_id, status)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        contract_id uuid, version int, customer_id uuid, status text)
    on conflict (contract_id) do update
    set version = excluded.version, customer_id = excluded.customer_id, status = excluded.status
    where held.version < excluded.version
"""


class DealRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def apply(self, deal: DealRow) -> None:
        self._session.connection().exec_driver_sql(_APPLY_DEALS, vars(deal))

    def apply_contracts(self, told: Sequence[ContractRow]) -> None:
        take_over(self._session, _APPLY_CONTRACTS, told, "contract_id")
