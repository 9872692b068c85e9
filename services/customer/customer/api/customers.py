"""CustomerService: a command is translated for its use case, a read is query and message."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import customer_service_pb2 as rpc
from customer import metrics
from customer.api import translate
from customer.api.finding import Finding
from customer.domain.classification import rule_of
from customer.domain.schemes import Scheme
from customer.store import queries
from customer.store.composing import compose_past
from customer.store.deal_queries import recent_deals
from customer.usecases.create_customers import Created, Existing, Outcome, create_customer, create_customers
from customer.usecases.delete_customer import delete_customer
from customer.usecases.reveal_customer import reveal_customer
from customer.usecases.undelete_customer import undelete_customer
from customer.usecases.update_customer import update_customer
from kernel.pure.clock import today
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.rpc.reading import instant
from kernel.rpc.status import to_status

# Above every version number: 32 bits.
_BEYOND_VERSIONS = 2**31 - 1


class CustomerServicer(Finding):
    """Single customers; lists and searches stand in Finding."""

    def create_customer(self, request: rpc.CreateCustomerRequest, call: Call) -> pb.Customer:
        profile = translate.profile(request.customer, "customer")
        customer = create_customer(call.work, profile, allow_duplicate=request.allow_duplicate)
        metrics.customers_recorded.labels("created").inc()
        return self._written(customer.id, call)

    def batch_create_customers(
        self, request: rpc.BatchCreateCustomersRequest, call: Call
    ) -> rpc.BatchCreateCustomersResponse:
        profiles = [
            translate.profile_or_error(message, f"customers[{index}]")
            for index, message in enumerate(request.customers)
        ]
        outcomes = create_customers(call.work, profiles, allow_duplicate=request.allow_duplicate)
        for outcome in outcomes:
            metrics.customers_recorded.labels(type(outcome).__name__.lower()).inc()
        return rpc.BatchCreateCustomersResponse(outcomes=[_outcome(o, call.language) for o in outcomes])

    def update_customer(self, request: rpc.UpdateCustomerRequest, call: Call) -> pb.Customer:
        customer_id = parse_id(request.customer.id, "customer.id")
        change = translate.change(request.customer, request.update_mask)
        changed = update_customer(call.work, customer_id, request.customer.etag, change)
        return self._written(changed.id, call)

    def delete_customer(self, request: rpc.DeleteCustomerRequest, call: Call) -> pb.Customer:
        deleted = delete_customer(call.work, parse_id(request.id, "id"), request.etag)
        return self._written(deleted.id, call)

    def undelete_customer(self, request: rpc.UndeleteCustomerRequest, call: Call) -> pb.Customer:
        shown = undelete_customer(call.work, parse_id(request.id, "id"))
        return self._written(shown.id, call)

    def reveal_customer(self, request: rpc.RevealCustomerRequest, call: Call) -> rpc.RevealCustomerResponse:
        customer_id = reveal_customer(call.work, parse_id(request.id, "id"), request.reason)
        row = queries.just_written(call.work.reader, call.principal, customer_id)
        customer = self._shown(call.work.reader, row._replace(clear=True))
        return rpc.RevealCustomerResponse(person=customer.person)

    def get_customer(self, request: rpc.GetCustomerRequest, call: Call) -> pb.Customer:
        at = instant(request, "as_of", "as_of")
        if at is not None:
            return self._customer_as_of(parse_id(request.id, "id"), at, call)
        return self._customer(request.id, call)

    def list_versions(self, request: rpc.ListVersionsRequest, call: Call) -> rpc.ListVersionsResponse:
        customer_id = parse_id(request.customer_id, "customer_id")
        size = page_size(request.page_size)
        query = ("ListVersions", call.principal.id, customer_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        before = int(cursor[0]) if cursor else _BEYOND_VERSIONS
        rows = queries.list_versions(self._app.reader, call.principal, customer_id, before, size + 1)
        # Every customer has a version, so that none means: none that the caller may see.
        if not rows:
            raise queries.refusal(self._app.reader, call.principal, queries.READ, customer_id)
        token = self._app.page_tokens.seal(query, [str(rows[size - 1].version)]) if len(rows) > size else ""
        versions = [translate.version(row) for row in rows[:size]]
        return rpc.ListVersionsResponse(versions=versions, next_page_token=token)

    def get_customer_view(self, request: rpc.GetCustomerViewRequest, call: Call) -> pb.CustomerView:
        customer = self._customer(request.id, call)
        customer_id = UUID(customer.id)
        purchases = queries.get_purchases(self._app.reader, customer_id, today(self._app.clock))
        orders = queries.recent_orders(self._app.reader, customer_id)
        deals = recent_deals(self._app.reader, customer_id)
        return translate.view(customer, purchases, orders, deals, self._app.settings.base_currency)

    def list_schemes(self, request: rpc.ListSchemesRequest, call: Call) -> rpc.ListSchemesResponse:
        return rpc.ListSchemesResponse(
            schemes=[_scheme(row) for row in queries.list_schemes(self._app.reader)]
        )

    def _customer(self, text: str, call: Call) -> pb.Customer:
        """One customer as the caller may see it. Raises CustomerNotFound or SubjectRestricted."""
        customer_id = parse_id(text, "id")
        row = queries.get_customer(self._app.reader, call.principal, customer_id)
        if row is None:
            raise queries.refusal(self._app.reader, call.principal, queries.READ, customer_id)
        call.viewed("customer", [row.id])
        return self._shown(self._app.reader, row)

    def _customer_as_of(self, customer_id: UUID, at: datetime, call: Call) -> pb.Customer:
        row = queries.get_customer_as_of(self._app.reader, call.principal, customer_id, at)
        if row is None:
            raise queries.refusal(self._app.reader, call.principal, queries.READ, customer_id)
        absorbed = (
            []
            if row.survivor_id
            else queries.absorbed_as_of(self._app.reader, call.principal, customer_id, at)
        )
        call.viewed("customer", [customer_id])
        return translate.customer(*compose_past(self._app.sealer, row, absorbed))


def _outcome(outcome: Outcome, language: str) -> rpc.CreateOutcome:
    if isinstance(outcome, Created):
        return rpc.CreateOutcome(created_id=str(outcome.id))
    if isinstance(outcome, Existing):
        return rpc.CreateOutcome(existing_id=str(outcome.id))
    return rpc.CreateOutcome(error=to_status(outcome.error, language))


def _scheme(row: Any) -> pb.Scheme:
    rule = rule_of(Scheme(row.id, row.version, row.title, row.rules))
    return pb.Scheme(
        id=row.id,
        version=row.version,
        title=row.title,
        classes=[
            pb.SchemeClass(id=class_, title=title, rule=words) for class_, title, words in rule.explain()
        ],
    )
