"""crm.sales.v1.OrderService, called as the gateway calls it."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from crm.sales.v1.order_pb2 import Order
from crm.sales.v1.order_service_pb2 import (
    BatchUpsertOrdersRequest,
    BatchUpsertOrdersResponse,
    GetOrderRequest,
    ListOrdersRequest,
)
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from sales.metrics import orders_recorded
from sales.wiring import SalesApp
from tests.sales.people import ERP, owners, reader
from tests.support.api import Api, Refused, fields_of, reason_of
from tests.support.servers import eventually

ORDERS = "crm.sales.v1.OrderService"


def wire(**changes: Any) -> dict[str, Any]:
    """An order in JSON, as an ERP would post it."""
    return {
        "externalId": {"source": "erp", "value": "A-1"},
        "sourceVersion": "3",
        "customerId": str(new_id()),
        "orderedOn": "2026-03-01",
        "status": "ORDER_STATUS_PAID",
        "total": {"amount": "100.00", "currencyCode": "CNY"},
        **changes,
    }


def batch(*orders: dict[str, Any], request_id: str = "") -> BatchUpsertOrdersRequest:
    return json_format.ParseDict(
        {"orders": list(orders), "requestId": request_id}, BatchUpsertOrdersRequest()
    )


def upsert(api: Api, *orders: dict[str, Any], **more: str) -> BatchUpsertOrdersResponse:
    answer: BatchUpsertOrdersResponse = api.call(f"{ORDERS}/BatchUpsertOrders", batch(*orders, **more), ERP)
    return answer


def get(api: Api, order_id: str, principal: Principal = ERP) -> Order:
    answer: Order = api.call(f"{ORDERS}/GetOrder", GetOrderRequest(id=order_id), principal)
    return answer


def test_an_order_comes_back_as_it_was_sent(api: Api) -> None:
    sent = wire(
        lines=[
            {"product": "P-1", "quantity": "2.50", "amount": {"amount": "90.00", "currencyCode": "USD"}},
            {"product": "茶", "quantity": "1", "amount": {"amount": "10.00", "currencyCode": "USD"}},
        ],
        total={"amount": "100.00", "currencyCode": "USD"},
        refunded={"amount": "10.00", "currencyCode": "USD"},
        exchangeRate="7.10",
        rateOn="2026-02-28",
    )
    [outcome] = upsert(api, sent).outcomes
    held = json_format.MessageToDict(get(api, outcome.stored_id))
    assert held == {
        **sent,
        "id": outcome.stored_id,
        "baseAmount": {"amount": "639.00", "currencyCode": "CNY"},
        "updateTime": "2026-06-30T04:00:00Z",
    }


def test_each_order_has_its_outcome_in_the_order_sent(api: Api) -> None:
    first = upsert(api, wire()).outcomes[0].stored_id
    before = orders_recorded.labels("refused")._value.get()
    answer = upsert(
        api,
        wire(sourceVersion="2"),
        wire(externalId={"source": "erp", "value": "A-2"}, total={"amount": "1.005", "currencyCode": "CNY"}),
        wire(externalId={"source": "erp", "value": "A-3"}),
    )
    assert [outcome.WhichOneof("outcome") for outcome in answer.outcomes] == [
        "unchanged_id",
        "error",
        "stored_id",
    ]
    assert answer.outcomes[0].unchanged_id == first
    error = answer.outcomes[1].error
    assert (error.code, reason_of(error)) == (3, "INVALID_FIELDS")
    assert fields_of(error) == [("orders[1].total.amount", "AMOUNT_FORMAT")]
    assert orders_recorded.labels("refused")._value.get() == before + 1


def test_a_batch_above_500_is_refused_as_a_whole(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        upsert(api, *[wire()] * 501)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.fields == [("orders", "BATCH_SIZE")]


def test_the_same_request_sent_again_has_the_same_answer_and_no_second_effect(
    api: Api, app: SalesApp
) -> None:
    request_id, sent = str(new_id()), wire()
    first = upsert(api, sent, request_id=request_id)
    again = upsert(api, sent, request_id=request_id)
    assert first.outcomes[0].stored_id
    assert again == first
    [told] = app.reader.rows("select type from outbox")
    assert told.type == "crm.sales.v1.OrdersRecorded"


def test_a_status_of_a_later_contract_is_refused(api: Api) -> None:
    request = batch(wire())
    request.orders[0].status = 99  # type: ignore[assignment]
    [outcome] = api.call(f"{ORDERS}/BatchUpsertOrders", request, ERP).outcomes
    assert fields_of(outcome.error) == [("orders[0].status", "STATUS")]


def test_an_order_out_of_reach_looks_like_one_that_is_not_there(api: Api, app: SalesApp) -> None:
    customer, seller, other = new_id(), new_id(), new_id()
    owners(app, {customer: seller})
    order_id = upsert(api, wire(customerId=str(customer))).outcomes[0].stored_id
    assert get(api, order_id, reader(Scope.OWN, seller)).id == order_id
    reasons = []
    for wanted in (order_id, str(new_id())):
        with pytest.raises(Refused) as refused:
            get(api, wanted, reader(Scope.OWN, other))
        reasons.append((refused.value.code, refused.value.reason, refused.value.status.message))
    assert reasons[0] == reasons[1]
    assert reasons[0][:2] == ("NOT_FOUND", "ORDER_NOT_FOUND")


def test_what_was_seen_is_noted(api: Api, app: SalesApp) -> None:
    order_id = upsert(api, wire()).outcomes[0].stored_id
    auditor = reader(Scope.ALL)
    get(api, order_id, auditor)
    seen = "select 1 from audit where actor_id = %(who)s and action = 'view:GetOrder' and object_id = %(id)s"
    eventually(lambda: app.reader.row(seen, {"who": auditor.id, "id": order_id}))


@pytest.mark.parametrize("wanted", ["", "7", "x" * 36])
def test_an_id_that_is_none_is_named(api: Api, wanted: str) -> None:
    with pytest.raises(Refused) as refused:
        get(api, wanted)
    assert (refused.value.code, refused.value.fields) == ("INVALID_ARGUMENT", [("id", "ID_FORMAT")])


def test_writing_needs_the_permission_to_write(api: Api, app: SalesApp) -> None:
    with pytest.raises(Refused) as refused:
        api.call(f"{ORDERS}/BatchUpsertOrders", batch(wire()), reader(Scope.ALL))
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    assert not app.reader.rows("select 1 from orders")


def test_a_caller_without_a_token_is_refused(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        api.call(f"{ORDERS}/ListOrders", ListOrdersRequest(), None)
    assert refused.value.code == "UNAUTHENTICATED"


class TestPages:
    """Lists of orders, page by page."""

    @pytest.fixture
    def filled(self, api: Api) -> Api:
        days = ("2026-03-01", "2026-03-05", "2026-03-05", "2026-03-03", "2026-03-02")
        upsert(
            api,
            *(
                wire(externalId={"source": "erp", "value": f"A-{n}"}, orderedOn=day)
                for n, day in enumerate(days)
            ),
        )
        return api

    def test_pages_together_hold_every_order_once_newest_first(self, filled: Api) -> None:
        days, token, pages = [], "", 0
        while True:
            page = filled.call(f"{ORDERS}/ListOrders", ListOrdersRequest(page_size=2, page_token=token), ERP)
            days += [order.ordered_on for order in page.orders]
            pages, token = pages + 1, page.next_page_token
            if not token:
                break
        assert days == ["2026-03-05", "2026-03-05", "2026-03-03", "2026-03-02", "2026-03-01"]
        assert pages == 3

    def test_a_full_last_page_has_no_next(self, filled: Api) -> None:
        page = filled.call(f"{ORDERS}/ListOrders", ListOrdersRequest(page_size=5), ERP)
        assert len(page.orders) == 5
        assert page.next_page_token == ""

    def test_orders_of_one_customer(self, filled: Api) -> None:
        everything = filled.call(f"{ORDERS}/ListOrders", ListOrdersRequest(), ERP)
        customer = everything.orders[2].customer_id
        page = filled.call(f"{ORDERS}/ListOrders", ListOrdersRequest(customer_id=customer), ERP)
        assert [order.id for order in page.orders] == [everything.orders[2].id]

    def test_a_token_continues_only_its_own_query(self, filled: Api) -> None:
        token = filled.call(f"{ORDERS}/ListOrders", ListOrdersRequest(page_size=2), ERP).next_page_token
        for request, principal in (
            (ListOrdersRequest(page_token=token, customer_id=str(new_id())), ERP),
            (ListOrdersRequest(page_token=token), reader(Scope.ALL)),
            (ListOrdersRequest(page_token=token[:-4] + "AAAA"), ERP),
        ):
            with pytest.raises(Refused) as refused:
                filled.call(f"{ORDERS}/ListOrders", request, principal)
            assert refused.value.fields == [("page_token", "PAGE_TOKEN")]

    def test_a_negative_page_is_refused(self, filled: Api) -> None:
        with pytest.raises(Refused) as refused:
            filled.call(f"{ORDERS}/ListOrders", ListOrdersRequest(page_size=-1), ERP)
        assert refused.value.fields == [("page_size", "PAGE_SIZE")]
