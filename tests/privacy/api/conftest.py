"""The api of the privacy service, called as the gateway calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from privacy.api.audit import AuditServicer
from privacy.api.consents import ConsentServicer
from privacy.api.erasures import ErasureServicer
from privacy.api.permits import PermitServicer
from privacy.api.purposes import PurposeServicer
from privacy.wiring import PrivacyApp
from tests.support.api import Api, serving


@pytest.fixture(scope="session")
def session_api(session_app: PrivacyApp) -> Iterator[Api]:
    servicers = {
        "crm.privacy.v1.AuditService": AuditServicer(session_app),
        "crm.privacy.v1.ConsentService": ConsentServicer(session_app),
        "crm.privacy.v1.ErasureService": ErasureServicer(session_app),
        "crm.privacy.v1.PermitService": PermitServicer(session_app),
        "crm.privacy.v1.PurposeService": PurposeServicer(session_app),
    }
    with serving(session_app, servicers) as api:
        yield api


@pytest.fixture
def api(session_api: Api, app: PrivacyApp) -> Api:
    """The api over empty tables."""
    return session_api
