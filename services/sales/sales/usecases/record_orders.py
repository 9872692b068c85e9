"""The ERP tells its orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kernel.pure.clock import today
from kernel.pure.errors import Invalid
from sales.domain.erp_record import Outcome, check_batch, newest_of_each, outcomes_of
from sales.domain.events import OrdersRecorded, RecordedOrder
from sales.domain.order import Order, OrderDraft, OrderRules, read_order
from sales.usecases.ports import Work


def record_orders(work: Work, drafts: Sequence[OrderDraft]) -> list[Outcome]:
    """Stores each order that is newer than what is held, and tells those that were; one outcome a draft.

    A draft that breaks a rule is refused by itself. Raises Invalid unless there are 1 to 500 drafts.
    """
    check_batch("orders", len(drafts))
    latest_day = today(work.clock) + timedelta(days=work.order_days_ahead)
    rules = OrderRules(work.base_currency, latest_day)
    read = [_read(index, draft, rules) for index, draft in enumerate(drafts)]
    newest = newest_of_each(order for order in read if isinstance(order, Order))
    kept = work.orders.upsert(newest)
    changed = [(order, kept[order.external_id]) for order in newest if kept[order.external_id].changed]
    if changed:
        work.record(
            OrdersRecorded(
                tuple(
                    RecordedOrder(
                        order_id=row.id,
                        version=row.version,
                        customer_id=order.customer_id,
                        ordered_on=order.ordered_on,
                        status=order.status.value,
                        base_amount=order.base.amount,
                        base_currency=order.base.currency,
                    )
                    for order, row in changed
                )
            )
        )
        work.audit("record", "order", "", ids=[str(row.id) for _, row in changed])
    return outcomes_of(read, newest, kept)


def _read(index: int, draft: OrderDraft, rules: OrderRules) -> Order | Invalid:
    try:
        return read_order(draft, rules)
    except Invalid as error:
        return error.within(f"orders[{index}]")
