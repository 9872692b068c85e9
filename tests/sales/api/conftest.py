"""The api of the sales service, called as the gateway calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel.rpc.channel import Peers
from sales.api.servicers import servicers
from sales.wiring import SalesApp
from tests.support.api import Api, serving


@pytest.fixture(scope="session")
def session_api(session_app: SalesApp) -> Iterator[Api]:
    with serving(session_app, servicers(session_app, Peers(session_app.settings))) as api:
        yield api


@pytest.fixture
def api(session_api: Api, app: SalesApp) -> Api:
    """The api over empty tables."""
    return session_api
