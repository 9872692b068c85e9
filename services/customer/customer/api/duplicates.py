"""DuplicateService: customers that are the same person or company."""

from __future__ import annotations

from uuid import UUID

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import duplicate_service_pb2 as rpc
from customer.api import translate
from customer.domain.errors import CustomerNotFound
from customer.store import merges, queries
from customer.usecases.merge_customers import merge_customers
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call


class DuplicateServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def merge_customers(self, request: rpc.MergeCustomersRequest, call: Call) -> pb.Customer:
        call.principal.require(queries.READ)
        survivor_id = parse_id(request.survivor_id, "survivor_id")
        absorbed_ids = [parse_id(text, f"absorbed_ids[{i}]") for i, text in enumerate(request.absorbed_ids)]
        merge_customers(call.work, survivor_id, absorbed_ids)
        return self._now(survivor_id, call)

    def unmerge_customer(self, request: rpc.UnmergeCustomerRequest, call: Call) -> pb.Customer:
        call.principal.require(queries.READ)
        customer_id = parse_id(request.id, "id")
        unmerge_customer(call.work, customer_id)
        return self._now(customer_id, call)

    def _now(self, customer_id: UUID, call: Call) -> pb.Customer:
        """The customer as this transaction has left it."""
        row = queries.get_customer(call.work.reader, call.principal, customer_id)
        if row is None:
            raise CustomerNotFound(id=customer_id)
        documents = queries.open_documents(self._app.sealer, [row])
        (row,), (document,) = merges.compose(call.work.reader, self._app.sealer, [row], documents)
        return translate.customer(row, document)
