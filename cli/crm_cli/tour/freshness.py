"""How long after its commit an order shows in the 360° view."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from crm.customer.v1.customer_service_pb2 import GetCustomerViewRequest
from crm.sales.v1.order_pb2 import OrderStatus
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm_cli.client import Session, TimedOut
from crm_cli.tour import feed
from crm_cli.tour.cdnow import Purchase
from crm_cli.tour.feed import Tick
from crm_cli.tour.figures import shows

SAMPLES = 200
LIMIT = 1.0  # seconds, for 99 of 100
_SHOWN_AT_LAST = 60.0
_PAUSE = 0.004
# A view lists no more orders than this.
_RECENT = 20


@dataclass(frozen=True)
class Lags:
    """Seconds from the answer that says "stored" to the first view that shows it, in growing order."""

    seconds: Sequence[float]

    def quantile(self, share: float) -> float:
        """The lag that `share` of the samples stay within."""
        return self.seconds[max(0, -(-len(self.seconds) * round(share * 100) // 100) - 1)]


def sample(purchases: Sequence[Purchase]) -> list[Purchase]:
    """The last purchase of SAMPLES customers from all over the file, each within the view's recent orders."""
    last: dict[str, Purchase] = {}
    bought: dict[str, int] = {}
    for purchase in purchases:
        bought[purchase.customer] = bought.get(purchase.customer, 0) + 1
        newest = last.get(purchase.customer)
        if newest is None or purchase.day >= newest.day:
            last[purchase.customer] = purchase
    candidates = [last[number] for number in sorted(last) if bought[number] <= _RECENT]
    return candidates[:: max(1, len(candidates) // SAMPLES)][:SAMPLES]


def measure(
    writer: Session,
    reader: Session,
    samples: Sequence[Purchase],
    ids: Mapping[str, str],
    version: int,
    run: UUID,
    tick: Tick,
) -> Lags:
    """Marks each sampled order paid under `version` and looks until its view says so. Raises TimedOut.

    The amounts stay as they are, so that the figures do too.
    """
    lags: list[float] = []
    for purchase in samples:
        lags.append(_one(writer, reader, purchase, ids[purchase.customer], version, run))
        tick(1)
    return Lags(sorted(lags))


def _one(
    writer: Session, reader: Session, purchase: Purchase, customer_id: str, version: int, run: UUID
) -> float:
    paid = feed.order(purchase, customer_id, version, OrderStatus.ORDER_STATUS_PAID)
    request_id = str(uuid5(run, f"freshness:{purchase.line}"))
    request = BatchUpsertOrdersRequest(orders=[paid], request_id=request_id)
    [outcome] = writer.call(writer.orders.BatchUpsertOrders, request).outcomes
    stored = time.monotonic()
    look = GetCustomerViewRequest(id=customer_id)
    while True:
        view = reader.call(reader.customers.GetCustomerView, look)
        if any(
            fact.order_id == outcome.stored_id and shows(fact.status, OrderStatus.ORDER_STATUS_PAID)
            for fact in view.recent_orders
        ):
            return time.monotonic() - stored
        if time.monotonic() - stored > _SHOWN_AT_LAST:
            raise TimedOut(f"order {purchase.order_id} is not in the view after {_SHOWN_AT_LAST:g} s")
        time.sleep(_PAUSE)
