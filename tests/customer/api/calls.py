"""The servicer called as the dispatcher calls it, without the wire."""

from __future__ import annotations

from typing import Any

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.api.customers import CustomerServicer
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call

READS = ("get_customer", "get_customer_view", "list_customers", "count_customers", "list_versions")


class Client:
    """Calls the customer service on behalf of one principal."""

    def __init__(self, app: CustomerApp, principal: Principal) -> None:
        self._app = app
        self._servicer = CustomerServicer(app)
        self.principal = principal
        self.id = principal.id
        # What was noted as seen: (type, ids).
        self.viewed: list[tuple[str, Any]] = []

    def ask(self, method: str, request: Any) -> Any:
        """The answer; a command's unit of work is committed, or rolled back with its refusal."""
        call = Call(self.principal, "en", "", lambda kind, ids: self.viewed.append((kind, ids)))
        answer = getattr(self._servicer, method)
        if method in READS:
            return answer(request, call)
        with self._app.work(self.principal) as work:
            call.work = work
            return answer(request, call)

    def create(self, **fields: Any) -> Any:
        return self.ask("create_customer", rpc.CreateCustomerRequest(customer=fields, allow_duplicate=True))

    def get(self, customer_id: str, **more: Any) -> Any:
        return self.ask("get_customer", rpc.GetCustomerRequest(id=customer_id, **more))


def user(**grants: Scope) -> Principal:
    """A user with these grants: customers_read=Scope.OWN is "customer.customers.read" over own ones."""
    named = {f"customer.{name.replace('_', '.', 1)}": scope for name, scope in grants.items()}
    return Principal(PrincipalKind.USER, str(new_id()), named)
