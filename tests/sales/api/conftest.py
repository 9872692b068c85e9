"""The api of the sales service, called as the gateway calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sales.api.orders import OrderServicer
from sales.api.products import ProductServicer
from sales.wiring import SalesApp
from tests.support.api import Api, serving


@pytest.fixture(scope="session")
def session_api(session_app: SalesApp) -> Iterator[Api]:
    servicers = {
        "crm.sales.v1.OrderService": OrderServicer(session_app),
        "crm.sales.v1.ProductService": ProductServicer(session_app),
    }
    with serving(session_app, servicers) as api:
        yield api


@pytest.fixture
def api(session_api: Api, app: SalesApp) -> Api:
    """The api over empty tables."""
    return session_api
