"""Orders as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from sales.domain.erp_record import ErpId, Kept
from sales.domain.order import Order
from sales.store.erp_upsert import ErpTable

_ORDERS = ErpTable(
    "orders",
    {
        "source": "text",
        "value": "text",
        "source_version": "bigint",
        "customer_id": "uuid",
        "ordered_on": "date",
        "status": "text",
        "lines": "jsonb",
        "currency": "text",
        "total": "numeric",
        "refunded": "numeric",
        "exchange_rate": "numeric",
        "rate_on": "date",
        "base_amount": "numeric",
        "base_currency": "text",
    },
)


class OrderRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def upsert(self, orders: Sequence[Order]) -> dict[ErpId, Kept]:
        """Stores each order whose source version is above the one held; answers for every order.

        External ids must differ and be sorted.
        """
        return _ORDERS.upsert(self._session, [_row(order) for order in orders], self._now)


def _row(order: Order) -> dict[str, Any]:
    exchange = order.exchange
    return {
        "source": order.external_id.source,
        "value": order.external_id.value,
        "source_version": order.source_version,
        "customer_id": order.customer_id,
        "ordered_on": order.ordered_on,
        "status": order.status.value,
        "lines": json.dumps(
            [[line.product, str(line.quantity), str(line.amount.amount)] for line in order.lines],
            ensure_ascii=False,
        ),
        "currency": order.total.currency,
        "total": order.total.amount,
        "refunded": order.refunded.amount,
        "exchange_rate": exchange.rate if exchange else None,
        "rate_on": exchange.on if exchange else None,
        "base_amount": order.base.amount,
        "base_currency": order.base.currency,
    }
