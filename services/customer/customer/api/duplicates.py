"""DuplicateService: customers that are the same person or company."""

from __future__ import annotations

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import duplicate_service_pb2 as rpc
from customer.api.showing import Showing
from customer.usecases.merge_customers import merge_customers
from customer.usecases.unmerge_customer import unmerge_customer
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call


class DuplicateServicer(Showing):
    def merge_customers(self, request: rpc.MergeCustomersRequest, call: Call) -> pb.Customer:
        survivor_id = parse_id(request.survivor_id, "survivor_id")
        absorbed_ids = [parse_id(text, f"absorbed_ids[{i}]") for i, text in enumerate(request.absorbed_ids)]
        merge_customers(call.work, survivor_id, absorbed_ids)
        return self._written(survivor_id, call)

    def unmerge_customer(self, request: rpc.UnmergeCustomerRequest, call: Call) -> pb.Customer:
        customer_id = parse_id(request.id, "id")
        unmerge_customer(call.work, customer_id)
        return self._written(customer_id, call)
