"""crm.marketing.v1.SuppressionService and SubjectService, called as the gateway and privacy call them."""

from __future__ import annotations

from typing import Any

import pytest

from crm.marketing.v1 import campaign_pb2 as pb
from crm.marketing.v1 import subject_service_pb2 as subject_rpc
from crm.marketing.v1 import suppression_service_pb2 as rpc
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from marketing.api.subjects import SubjectServicer
from marketing.wiring import MarketingApp
from tests.support.api import Api, Refused

OFFICER = Principal(
    PrincipalKind.USER,
    str(new_id()),
    {f"marketing.suppressions.{verb}": Scope.ALL for verb in ("read", "manage")},
)
PRIVACY = Principal.service("privacy")
READER = Principal(PrincipalKind.USER, str(new_id()), {"marketing.suppressions.read": Scope.ALL})


def call(api: Api, name: str, request: Any, by: Principal = OFFICER) -> Any:
    return api.call(f"crm.marketing.v1.SuppressionService/{name}", request, by)


def suppress(api: Api, address: str, reason: str = "MANUAL", by: Principal = OFFICER) -> rpc.Suppression:
    request = rpc.SuppressAddressRequest(
        channel=pb.CHANNEL_EMAIL,
        address=address,
        reason=f"SUPPRESSION_REASON_{reason}",  # type: ignore[arg-type]
    )
    held: rpc.Suppression = call(api, "SuppressAddress", request, by)
    return held


def search(api: Api, address: str) -> list[rpc.Suppression]:
    request = rpc.SearchSuppressionsRequest(channel=pb.CHANNEL_EMAIL, address=address)
    return list(call(api, "SearchSuppressions", request).suppressions)


def lift(api: Api, suppression_id: str, reason: str = "又来订阅") -> None:
    call(api, "LiftSuppression", rpc.LiftSuppressionRequest(id=suppression_id, reason=reason))


def actions(app: MarketingApp) -> list[str]:
    rows = app.reader.rows("select action from audit where object_type = 'suppression' order by id")
    return [row.action for row in rows]


def test_an_address_is_put_on_the_list_found_however_it_is_written_and_lifted(
    api: Api, app: MarketingApp
) -> None:
    held = suppress(api, "Wang@example.com", "COMPLAINT")
    assert (held.channel, held.purpose, held.reason) == (
        pb.CHANNEL_EMAIL, "", rpc.SUPPRESSION_REASON_COMPLAINT,
    )  # fmt: skip
    assert held.actor_id == OFFICER.id
    assert search(api, " wang@EXAMPLE.com") == [held]
    assert search(api, "li@example.com") == []
    lift(api, held.id)
    assert search(api, "wang@example.com") == []
    assert actions(app) == ["suppress", "lift"]


def test_what_is_on_the_list_stays_as_it_stands_there(api: Api) -> None:
    first = suppress(api, "wang@example.com", "HARD_BOUNCE")
    assert suppress(api, "wang@example.com", "MANUAL") == first
    assert search(api, "wang@example.com") == [first]


def test_the_list_goes_page_by_page_newest_first_and_tells_no_address(api: Api) -> None:
    made = [suppress(api, f"p{number}@example.com").id for number in range(5)]
    seen, token = [], ""
    while True:
        request = rpc.ListSuppressionsRequest(page_size=2, page_token=token)
        page = call(api, "ListSuppressions", request, READER)
        assert "example.com" not in str(page)
        seen += [held.id for held in page.suppressions]
        if not (token := page.next_page_token):
            break
    assert seen == made[::-1]


def test_who_may_read_the_list_asks_about_no_address_and_changes_nothing(api: Api) -> None:
    held = suppress(api, "wang@example.com")
    for name, request in (
        ("SuppressAddress", rpc.SuppressAddressRequest(channel=pb.CHANNEL_EMAIL, address="a@example.com")),
        ("SearchSuppressions", rpc.SearchSuppressionsRequest(channel=pb.CHANNEL_EMAIL, address="a@b.cn")),
        ("LiftSuppression", rpc.LiftSuppressionRequest(id=held.id, reason="x")),
    ):
        with pytest.raises(Refused) as refused:
            call(api, name, request, READER)
        assert refused.value.code == "PERMISSION_DENIED"


def test_wrong_wishes_name_every_field(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        call(api, "SuppressAddress", rpc.SuppressAddressRequest(address="wang"))
    assert [field for field, _ in refused.value.fields] == ["reason", "channel", "address"]
    # What follows from what happened is said by nobody.
    for reason in ("ERASED", "UNSUBSCRIBED"):
        with pytest.raises(Refused) as refused:
            suppress(api, "wang@example.com", reason)
        assert refused.value.fields == [("reason", "REQUIRED")]


def test_lifting_needs_a_reason_and_something_to_lift(api: Api) -> None:
    held = suppress(api, "wang@example.com")
    with pytest.raises(Refused) as refused:
        lift(api, held.id, "wang@example.com asked")
    assert refused.value.fields == [("reason", "PERSONAL_DATA")]
    with pytest.raises(Refused) as refused:
        lift(api, str(new_id()))
    assert refused.value.reason == "SUPPRESSION_NOT_FOUND"
    assert search(api, "wang@example.com") == [held]


def test_the_addresses_of_who_will_be_erased_are_on_the_list(api: Api, app: MarketingApp) -> None:
    request = subject_rpc.NoteAddressesRequest(emails=["wang@example.com", "old@example.com"])
    for _ in range(2):
        with app.work(PRIVACY) as work:
            SubjectServicer().note_addresses(request, Call(PRIVACY, "en", "", lambda *_: None, work))
    [held] = search(api, "old@example.com")
    assert held.reason == rpc.SUPPRESSION_REASON_ERASED
    assert len(search(api, "wang@example.com")) == 1
