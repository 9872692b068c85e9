"""Products as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from sales.domain.erp_record import ErpId, Kept
from sales.domain.product import Product
from sales.store.erp_upsert import ErpTable

_PRODUCTS = ErpTable(
    "products",
    {
        "source": "text",
        "value": "text",
        "source_version": "bigint",
        "name": "text",
        "category": "text",
        "list_price": "numeric",
        "currency": "text",
        "discontinued": "boolean",
    },
)


class ProductRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def upsert(self, products: Sequence[Product]) -> dict[ErpId, Kept]:
        """Stores each product whose source version is above the one held; answers for every product.

        External ids must differ and be sorted.
        """
        return _PRODUCTS.upsert(self._session, [_row(product) for product in products], self._now)


def _row(product: Product) -> dict[str, Any]:
    price = product.list_price
    return {
        "source": product.external_id.source,
        "value": product.external_id.value,
        "source_version": product.source_version,
        "name": product.name,
        "category": product.category,
        "list_price": price.amount if price else None,
        "currency": price.currency if price else None,
        "discontinued": product.discontinued,
    }
