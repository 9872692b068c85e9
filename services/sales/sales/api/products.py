"""crm.sales.v1.ProductService"""

from __future__ import annotations

from uuid import UUID

from crm.sales.v1 import order_pb2, product_service_pb2
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from sales import metrics
from sales.api.translate import outcome_message, product_draft, product_message
from sales.domain.errors import ProductNotFound
from sales.store import queries
from sales.usecases.record_products import record_products
from sales.wiring import SalesApp


class ProductServicer:
    """Products are the enterprise's: whoever may read them sees all."""

    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def batch_upsert_products(
        self, request: product_service_pb2.BatchUpsertProductsRequest, call: Call
    ) -> product_service_pb2.BatchUpsertProductsResponse:
        outcomes = record_products(call.work, [product_draft(product) for product in request.products])
        for outcome in outcomes:
            metrics.products_recorded.labels(type(outcome).__name__.lower()).inc()
        return product_service_pb2.BatchUpsertProductsResponse(
            outcomes=[outcome_message(outcome, call.language) for outcome in outcomes]
        )

    def get_product(self, request: product_service_pb2.GetProductRequest, call: Call) -> order_pb2.Product:
        row = queries.get_product(self._app.reader, parse_id(request.id, "id"))
        if row is None:
            raise ProductNotFound
        return product_message(row)

    def list_products(
        self, request: product_service_pb2.ListProductsRequest, call: Call
    ) -> product_service_pb2.ListProductsResponse:
        size = page_size(request.page_size)
        query = ("ListProducts", call.principal.id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = (cursor[0], UUID(cursor[1])) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_products(self._app.reader, after, size + 1)
        page = rows[:size]
        response = product_service_pb2.ListProductsResponse(products=[product_message(row) for row in page])
        if len(rows) > size:
            last = page[-1]
            response.next_page_token = self._app.page_tokens.seal(query, [last.name, str(last.id)])
        return response
