"""The ERP tells its products."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.pure.errors import Invalid
from sales.domain.erp_record import Outcome, check_batch, newest_of_each, outcomes_of
from sales.domain.events import ProductsRecorded, RecordedProduct
from sales.domain.product import Product, ProductDraft, read_product
from sales.usecases.ports import Work


def record_products(work: Work, drafts: Sequence[ProductDraft]) -> list[Outcome]:
    """Stores each product that is newer than what is held, and tells those that were; one outcome a draft.

    A draft that breaks a rule is refused by itself. Raises Invalid unless there are 1 to 500 drafts.
    """
    check_batch("products", len(drafts))
    read = [_read(index, draft) for index, draft in enumerate(drafts)]
    newest = newest_of_each(product for product in read if isinstance(product, Product))
    kept = work.products.upsert(newest)
    changed = [
        (product, kept[product.external_id]) for product in newest if kept[product.external_id].changed
    ]
    if changed:
        work.record(
            ProductsRecorded(
                tuple(
                    RecordedProduct(row.id, row.version, product.name, product.category, product.discontinued)
                    for product, row in changed
                )
            )
        )
        work.audit("record", "product", "", ids=[str(row.id) for _, row in changed])
    return outcomes_of(read, newest, kept)


def _read(index: int, draft: ProductDraft) -> Product | Invalid:
    try:
        return read_product(draft)
    except Invalid as error:
        return error.within(f"products[{index}]")
