"""The api of the marketing service, called as the gateway calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketing.api.campaigns import CampaignServicer
from marketing.api.subjects import SubjectServicer
from marketing.api.suppressions import SuppressionServicer
from marketing.api.tracking import TrackingServicer
from marketing.wiring import MarketingApp
from tests.support.api import Api, serving


@pytest.fixture(scope="session")
def session_api(session_app: MarketingApp) -> Iterator[Api]:
    servicers = {
        "crm.marketing.v1.CampaignService": CampaignServicer(session_app),
        "crm.marketing.v1.SubjectService": SubjectServicer(),
        "crm.marketing.v1.SuppressionService": SuppressionServicer(session_app),
        "crm.marketing.v1.TrackingService": TrackingServicer(session_app),
    }
    with serving(session_app, servicers) as api:
        yield api


@pytest.fixture
def api(session_api: Api, app: MarketingApp) -> Api:
    """The api over empty tables."""
    return session_api
