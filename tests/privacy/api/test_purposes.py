"""Purposes and notices by the api."""

from __future__ import annotations

import pytest

from crm.privacy.v1 import purpose_service_pb2 as rpc
from tests.privacy.people import officer
from tests.support.api import Api, Refused

PURPOSES = "crm.privacy.v1.PurposeService"
OFFICER = officer()


def create(api: Api, id: str, basis: str) -> rpc.Purpose:
    purpose = rpc.Purpose(id=id, title_zh="客户分析", title_en="Analysis", basis=f"LEGAL_BASIS_{basis}")  # type: ignore[arg-type]
    answer: rpc.Purpose = api.call(
        f"{PURPOSES}/CreatePurpose", rpc.CreatePurposeRequest(purpose=purpose), OFFICER
    )
    return answer


def test_an_installation_begins_with_service_and_marketing(api: Api) -> None:
    answer = api.call(f"{PURPOSES}/ListPurposes", rpc.ListPurposesRequest(), OFFICER)
    bases = {purpose.id: purpose.basis for purpose in answer.purposes}
    assert bases == {"marketing": rpc.LEGAL_BASIS_CONSENT, "service": rpc.LEGAL_BASIS_CONTRACT}


def test_a_purpose_is_registered_once(api: Api) -> None:
    made = create(api, "analysis", "CONSENT")
    listed = api.call(f"{PURPOSES}/ListPurposes", rpc.ListPurposesRequest(), OFFICER).purposes
    assert made in listed
    with pytest.raises(Refused) as refused:
        create(api, "analysis", "CONTRACT")
    assert refused.value.reason == "PURPOSE_EXISTS"


def test_the_chinese_law_knows_no_legitimate_interest(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        create(api, "analysis", "LEGITIMATE_INTEREST")
    assert refused.value.reason == "BASIS_UNKNOWN_TO_LAW"
    with pytest.raises(Refused) as refused:
        create(api, "analysis", "UNSPECIFIED")
    assert refused.value.fields == [("purpose.basis", "REQUIRED")]


def test_notices_are_numbered_and_listed_newest_first(api: Api) -> None:
    for major in (False, False, True):
        notice = rpc.Notice(purpose_id="marketing", text_zh="告知", text_en="Notice", major=major)
        api.call(f"{PURPOSES}/PublishNotice", rpc.PublishNoticeRequest(notice=notice), OFFICER)
    answer = api.call(f"{PURPOSES}/ListNotices", rpc.ListNoticesRequest(purpose_id="marketing"), OFFICER)
    assert [(one.version, one.major) for one in answer.notices] == [(3, True), (2, False), (1, True)]
    assert len({one.sha256 for one in answer.notices}) == 1


def test_a_notice_belongs_to_a_purpose(api: Api) -> None:
    notice = rpc.Notice(purpose_id="espionage", text_zh="告知")
    with pytest.raises(Refused) as refused:
        api.call(f"{PURPOSES}/PublishNotice", rpc.PublishNoticeRequest(notice=notice), OFFICER)
    assert refused.value.reason == "PURPOSE_NOT_FOUND"
