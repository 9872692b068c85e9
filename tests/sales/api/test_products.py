"""crm.sales.v1.ProductService, called as the gateway calls it."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from crm.sales.v1.product_service_pb2 import (
    BatchUpsertProductsRequest,
    BatchUpsertProductsResponse,
    GetProductRequest,
    ListProductsRequest,
)
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.sales.people import ERP, reader
from tests.support.api import Api, Refused, fields_of

PRODUCTS = "crm.sales.v1.ProductService"


def wire(value: str = "P-1", **changes: Any) -> dict[str, Any]:
    return {
        "externalId": {"source": "erp", "value": value},
        "sourceVersion": "1",
        "name": "白茶",
        "category": "茶",
        "listPrice": {"amount": "99.00", "currencyCode": "CNY"},
        **changes,
    }


def upsert(api: Api, *products: dict[str, Any]) -> BatchUpsertProductsResponse:
    request = json_format.ParseDict({"products": list(products)}, BatchUpsertProductsRequest())
    answer: BatchUpsertProductsResponse = api.call(f"{PRODUCTS}/BatchUpsertProducts", request, ERP)
    return answer


def test_a_product_comes_back_as_it_was_sent(api: Api) -> None:
    bare = {key: value for key, value in wire("P-2", discontinued=True).items() if key != "listPrice"}
    outcomes = upsert(api, wire(), bare).outcomes
    for sent, outcome in zip((wire(), bare), outcomes, strict=True):
        held = api.call(f"{PRODUCTS}/GetProduct", GetProductRequest(id=outcome.stored_id), ERP)
        assert json_format.MessageToDict(held) == {
            **sent,
            "id": outcome.stored_id,
            "updateTime": "2026-06-30T04:00:00Z",
        }


def test_a_wrong_product_is_answered_with_its_error(api: Api) -> None:
    [wrong, right] = upsert(
        api, wire(name="", listPrice={"amount": "1", "currencyCode": "yuan"}), wire()
    ).outcomes
    assert fields_of(wrong.error) == [
        ("products[0].name", "REQUIRED"),
        ("products[0].list_price.currency_code", "CURRENCY_FORMAT"),
    ]
    assert right.stored_id


def test_an_unknown_product_is_not_found(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        api.call(f"{PRODUCTS}/GetProduct", GetProductRequest(id=str(new_id())), ERP)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "PRODUCT_NOT_FOUND")


def test_whoever_may_read_products_sees_all_of_them_page_by_page(api: Api) -> None:
    names = ["茶叶", "啊", "白茶"]
    upsert(api, *(wire(f"P-{n}", name=name) for n, name in enumerate(names)))
    found, token = [], ""
    while True:
        request = ListProductsRequest(page_size=1, page_token=token)
        page = api.call(f"{PRODUCTS}/ListProducts", request, SELLER)
        found += [product.name for product in page.products]
        token = page.next_page_token
        if not token:
            break
    assert found == ["啊", "白茶", "茶叶"]


SELLER = reader(Scope.OWN)


def test_reading_needs_the_permission_to_read(api: Api) -> None:
    nobody = Principal(PrincipalKind.USER, str(new_id()), {})
    with pytest.raises(Refused) as refused:
        api.call(f"{PRODUCTS}/ListProducts", ListProductsRequest(), nobody)
    assert refused.value.code == "PERMISSION_DENIED"
