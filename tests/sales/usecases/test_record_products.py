"""The ERP tells its products: on a real database, through the use case."""

from __future__ import annotations

import json

import pytest

from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from sales.domain.erp_record import Outcome, Refused, Stored, Unchanged
from sales.domain.product import ProductDraft
from sales.usecases.record_products import record_products
from sales.wiring import SalesApp
from tests.contracts.examples import promised, same_shape
from tests.sales.drafts import money, product


def send(app: SalesApp, *drafts: ProductDraft) -> list[Outcome]:
    with app.work(Principal.service("sales")) as work:
        return record_products(work, drafts)


def test_a_product_is_stored_and_told_as_promised(app: SalesApp) -> None:
    first, second = send(app, product(), product(value="P-2", discontinued=True, list_price=None))
    assert isinstance(first, Stored)
    assert isinstance(second, Stored)
    [row] = app.reader.rows("select body from outbox")
    envelope = json.loads(row.body)
    assert envelope["data"]["products"] == [
        {"productId": str(first.id), "version": 1, "name": "数据分析插件", "category": "软件"},
        {
            "productId": str(second.id),
            "version": 1,
            "name": "数据分析插件",
            "category": "软件",
            "discontinued": True,
        },
    ]
    promises = promised("crm.sales.v1.ProductsRecorded")
    assert promises
    for promise in promises:
        same_shape(envelope, promise)


def test_a_newer_version_replaces_the_product_and_an_older_one_does_not(app: SalesApp) -> None:
    [first] = send(app, product(source_version=2))
    assert isinstance(first, Stored)
    assert send(app, product(source_version=3, name="新名", list_price=money("1200", "JPY"))) == [first]
    assert send(app, product(source_version=1, name="旧名")) == [Unchanged(first.id)]
    row = app.reader.row("select name, version, list_price, currency from products")
    assert row == ("新名", 2, 1200, "JPY")


def test_a_wrong_product_is_refused_by_itself(app: SalesApp) -> None:
    stored, refused = send(app, product(), product(value="P-2", name=" ", list_price=money("-1.00")))
    assert isinstance(stored, Stored)
    assert isinstance(refused, Refused)
    assert [(v.field, v.rule) for v in refused.error.violations] == [
        ("products[1].name", "REQUIRED"),
        ("products[1].list_price.amount", "NEGATIVE"),
    ]


def test_a_batch_holds_at_most_500_products(app: SalesApp) -> None:
    with pytest.raises(Invalid) as refused:
        send(app, *[product()] * 501)
    assert [(v.field, v.rule) for v in refused.value.violations] == [("products", "BATCH_SIZE")]
