"""crm.sales.v1.OrderService"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from crm.sales.v1 import order_pb2, order_service_pb2
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from sales import metrics
from sales.api.translate import order_draft, order_message, outcome_message
from sales.domain.errors import OrderNotFound
from sales.store import queries
from sales.usecases.record_orders import record_orders
from sales.wiring import SalesApp


class OrderServicer:
    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def batch_upsert_orders(
        self, request: order_service_pb2.BatchUpsertOrdersRequest, call: Call
    ) -> order_service_pb2.BatchUpsertOrdersResponse:
        outcomes = record_orders(call.work, [order_draft(order) for order in request.orders])
        for outcome in outcomes:
            metrics.orders_recorded.labels(type(outcome).__name__.lower()).inc()
        return order_service_pb2.BatchUpsertOrdersResponse(
            outcomes=[outcome_message(outcome, call.language) for outcome in outcomes]
        )

    def get_order(self, request: order_service_pb2.GetOrderRequest, call: Call) -> order_pb2.Order:
        row = queries.get_order(self._app.reader, call.principal, parse_id(request.id, "id"))
        if row is None:
            raise OrderNotFound
        call.viewed("order", [row.id])
        return order_message(row)

    def list_orders(
        self, request: order_service_pb2.ListOrdersRequest, call: Call
    ) -> order_service_pb2.ListOrdersResponse:
        size = page_size(request.page_size)
        customer_id = parse_id(request.customer_id, "customer_id") if request.customer_id else None
        query = ("ListOrders", call.principal.id, customer_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = (date.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_orders(self._app.reader, call.principal, customer_id, after, size + 1)
        page = rows[:size]
        call.viewed("order", [row.id for row in page])
        response = order_service_pb2.ListOrdersResponse(orders=[order_message(row) for row in page])
        if len(rows) > size:
            last = page[-1]
            response.next_page_token = self._app.page_tokens.seal(
                query, [last.ordered_on.isoformat(), str(last.id)]
            )
        return response
