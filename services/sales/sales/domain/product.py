"""A product: what can be sold, as the ERP tells it."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.pure.errors import Checks
from kernel.pure.money import Money
from sales.domain.erp_record import ErpId
from sales.domain.reading import MoneyDraft, read_amount, read_external_id, read_source_version, read_text

LONGEST_NAME = 200
LONGEST_CATEGORY = 100


@dataclass(frozen=True)
class ProductDraft:
    """A product as it was sent."""

    source: str
    value: str
    source_version: int
    name: str
    category: str
    list_price: MoneyDraft | None
    discontinued: bool


@dataclass(frozen=True)
class Product:
    external_id: ErpId
    source_version: int
    name: str
    # Empty when the ERP has none.
    category: str
    list_price: Money | None
    discontinued: bool


def read_product(draft: ProductDraft) -> Product:
    """The product that was sent. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    product = Product(
        external_id=read_external_id(checks, draft.source, draft.value),
        source_version=read_source_version(checks, draft.source_version),
        name=read_text(checks, "name", draft.name, LONGEST_NAME),
        category=read_text(checks, "category", draft.category, LONGEST_CATEGORY, required=False),
        list_price=read_amount(checks, "list_price", draft.list_price) if draft.list_price else None,
        discontinued=draft.discontinued,
    )
    checks.raise_if_any()
    return product
