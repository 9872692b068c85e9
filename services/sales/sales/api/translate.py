"""Between the messages of crm.sales.v1 and what the use cases and queries know."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm.sales.v1 import order_pb2, order_service_pb2
from crm.type.v1 import money_pb2
from kernel.rpc.status import to_status
from sales.domain.erp_record import Outcome, Refused, Stored
from sales.domain.order import LineDraft, OrderDraft
from sales.domain.product import ProductDraft
from sales.domain.reading import MoneyDraft

_STATUS = {
    order_pb2.ORDER_STATUS_UNSPECIFIED: "",
    order_pb2.ORDER_STATUS_PLACED: "placed",
    order_pb2.ORDER_STATUS_PAID: "paid",
    order_pb2.ORDER_STATUS_DELIVERED: "delivered",
    order_pb2.ORDER_STATUS_CANCELLED: "cancelled",
}
_STATUS_NUMBER = {text: number for number, text in _STATUS.items()}


def order_draft(message: order_pb2.Order) -> OrderDraft:
    return OrderDraft(
        source=message.external_id.source,
        value=message.external_id.value,
        source_version=message.source_version,
        customer_id=message.customer_id,
        ordered_on=message.ordered_on,
        # A number of a later version of the contract is no status we know.
        status=_STATUS.get(message.status, str(message.status)),
        lines=[
            LineDraft(line.product, line.quantity, _money_draft(line, "amount")) for line in message.lines
        ],
        total=_money_draft(message, "total"),
        refunded=_money_draft(message, "refunded"),
        exchange_rate=message.exchange_rate,
        rate_on=message.rate_on,
    )


def product_draft(message: order_pb2.Product) -> ProductDraft:
    return ProductDraft(
        source=message.external_id.source,
        value=message.external_id.value,
        source_version=message.source_version,
        name=message.name,
        category=message.category,
        list_price=_money_draft(message, "list_price"),
        discontinued=message.discontinued,
    )


def outcome_message(outcome: Outcome, language: str) -> order_service_pb2.UpsertOutcome:
    """The outcome of one item; the sentences of an error in `language`."""
    if isinstance(outcome, Refused):
        return order_service_pb2.UpsertOutcome(error=to_status(outcome.error, language))
    if isinstance(outcome, Stored):
        return order_service_pb2.UpsertOutcome(stored_id=str(outcome.id))
    return order_service_pb2.UpsertOutcome(unchanged_id=str(outcome.id))


def order_message(row: Any) -> order_pb2.Order:
    """An order from a row of queries."""
    message = order_pb2.Order(
        id=str(row.id),
        external_id=order_pb2.ErpId(source=row.source, value=row.value),
        source_version=row.source_version,
        customer_id=str(row.customer_id),
        ordered_on=row.ordered_on.isoformat(),
        status=_STATUS_NUMBER[row.status],
        lines=[
            order_pb2.OrderLine(
                product=product,
                quantity=quantity,
                amount=money_pb2.Money(amount=amount, currency_code=row.currency),
            )
            for product, quantity, amount in row.lines
        ],
        total=_money(row.total, row.currency),
        refunded=_money(row.refunded, row.currency),
        base_amount=_money(row.base_amount, row.base_currency),
    )
    if row.exchange_rate is not None:
        message.exchange_rate = f"{row.exchange_rate:f}"
        message.rate_on = row.rate_on.isoformat()
    message.update_time.FromDatetime(row.updated_at)
    return message


def product_message(row: Any) -> order_pb2.Product:
    """A product from a row of queries."""
    message = order_pb2.Product(
        id=str(row.id),
        external_id=order_pb2.ErpId(source=row.source, value=row.value),
        source_version=row.source_version,
        name=row.name,
        category=row.category,
        discontinued=row.discontinued,
    )
    if row.list_price is not None:
        message.list_price.CopyFrom(_money(row.list_price, row.currency))
    message.update_time.FromDatetime(row.updated_at)
    return message


def _money_draft(message: Any, field: str) -> MoneyDraft | None:
    if not message.HasField(field):
        return None
    money: money_pb2.Money = getattr(message, field)
    return MoneyDraft(money.amount, money.currency_code)


def _money(amount: Decimal, currency: str) -> money_pb2.Money:
    return money_pb2.Money(amount=f"{amount:f}", currency_code=currency)
