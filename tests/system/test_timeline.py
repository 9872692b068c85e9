"""What happened with a customer, told in one line of time; who reads which of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from crm.customer.v1 import timeline_service_pb2 as pb
from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.gateway.v1.directory_service_pb2 import CreateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm_cli.client import Account, Gateway, Session, wait_until
from crm_cli.tour.cdnow import today
from tests.system.erp import STATUSES, Erp, Told

_SOON = 60.0  # seconds


@pytest.mark.feature("C-05")
def test_consultations_purchases_complaints_and_service_stand_in_one_line_of_time(erp: Account) -> None:
    feed, session = Erp(f"timeline {uuid4().hex[:8]}"), erp.session()
    feed.record_people(session, 2)
    [number, other] = sorted(feed.ids)
    customer_id = feed.ids[number]
    at = datetime.now(UTC)
    say(session, customer_id, pb.INTERACTION_KIND_COMPLAINT, "发货太慢", at - timedelta(days=1))
    say(session, customer_id, pb.INTERACTION_KIND_CONSULTATION, "询问报价", at - timedelta(days=30))
    say(session, customer_id, pb.INTERACTION_KIND_VISIT, "上门维修", at - timedelta(hours=1))
    say(session, feed.ids[other], pb.INTERACTION_KIND_FEEDBACK, "与他人无关", at)
    bought = [
        Told(f"{feed.source}:{one}", 1, one, today() - timedelta(days=10), Decimal(amount), STATUSES[0])
        for one, amount in ((number, 100), (other, 200))
    ]
    feed.tell_orders(session, bought)
    told = wait_until(lambda: found if len(found := timeline(session, customer_id)) >= 4 else None, _SOON)
    facts = [described(entry) for entry in told if entry.WhichOneof("what") != "class_change"]
    assert facts == [
        ("INTERACTION_KIND_VISIT", "上门维修"),
        ("INTERACTION_KIND_COMPLAINT", "发货太慢"),
        ("order", "100"),
        ("INTERACTION_KIND_CONSULTATION", "询问报价"),
    ]
    assert {entry.customer_id for entry in told} == {customer_id}


@pytest.mark.feature("C-07")
def test_behaviour_is_kept_with_its_channel_content_and_instant(erp: Account) -> None:
    session = erp.session()
    customer = Customer(person=Person(full_name="系统测试客户"))
    request = CreateCustomerRequest(customer=customer, request_id=str(uuid4()))
    customer_id = session.call(session.customers.CreateCustomer, request).id
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    behaviour = {
        pb.INTERACTION_KIND_CONSULTATION: "咨询 A 型机床的交货期",
        pb.INTERACTION_KIND_BROWSING: "/products/a?from=wechat",
        pb.INTERACTION_KIND_FEEDBACK: "说明书看不懂",
    }
    for minutes, (kind, content) in enumerate(behaviour.items()):
        say(session, customer_id, kind, content, at + timedelta(minutes=minutes), channel="wecom")
    kept = [entry.interaction for entry in timeline(session, customer_id)]
    assert {one.kind: one.content for one in kept} == behaviour
    assert {one.channel for one in kept} == {"wecom"}
    assert [one.occur_time.ToDatetime(UTC) for one in kept] == [
        at + timedelta(minutes=minutes) for minutes in (2, 1, 0)
    ]


@pytest.mark.feature("X-02")
def test_role_user_and_data_each_limit_what_is_seen_down_to_the_field(
    gateway: Gateway, admin: Session
) -> None:
    """The role decides what one may do, the user whose records, the class of data which fields whole."""
    owner, colleague, auditor = (hire(gateway, admin, role) for role in ("seller", "seller", "auditor"))
    phone = f"138{uuid4().int % 10**8:08}"
    body = {"person": {"fullName": "系统测试客户", "phones": [phone]}, "ownerId": id_of(owner)}
    made = gateway.json("POST", "/v1/customers", body, admin.account.token())
    path = f"/v1/customers/{(made.body or {})['id']}"
    seen = {
        who: gateway.json("GET", path, None, session.account.token())
        for who, session in {"owner": owner, "colleague": colleague, "auditor": auditor}.items()
    }
    assert {who: answer.status for who, answer in seen.items()} == {
        "owner": 200, "colleague": 404, "auditor": 200,
    }  # fmt: skip
    whole, masked = (seen[who].body or {} for who in ("owner", "auditor"))
    assert (whole["person"]["phones"], whole.get("maskedFields", [])) == ([f"+86{phone}"], [])
    assert masked["person"]["phones"] == [f"138****{phone[-4:]}"]
    assert "person.phones" in masked["maskedFields"]
    assert gateway.json("POST", "/v1/customers", body, auditor.account.token()).status == 403


def say(
    session: Session, customer_id: str, kind: int, content: str, at: datetime, channel: str = "phone"
) -> None:
    interaction = pb.Interaction(kind=kind, channel=channel, content=content)  # type: ignore[arg-type]
    interaction.occur_time.FromDatetime(at)
    request = pb.RecordInteractionRequest(
        customer_id=customer_id, interaction=interaction, request_id=str(uuid4())
    )
    session.call(session.timelines.RecordInteraction, request)


def timeline(session: Session, customer_id: str) -> list[pb.TimelineEntry]:
    request = pb.ListTimelineRequest(customer_id=customer_id, page_size=50)
    return list(session.call(session.timelines.ListTimeline, request).entries)


def described(entry: pb.TimelineEntry) -> tuple[str, str]:
    if entry.HasField("order"):
        return "order", entry.order.base_amount.amount.partition(".")[0]
    return pb.InteractionKind.Name(entry.interaction.kind), entry.interaction.content


def hire(gateway: Gateway, admin: Session, role: str) -> Session:
    login, password = f"{role}.{uuid4().hex[:8]}", uuid4().hex
    user = User(login=login, display_name="系统测试", role_ids=[role])
    request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    admin.call(admin.directory.CreateUser, request)
    return gateway.password_account(login, password).session()


def id_of(session: Session) -> str:
    return str(session.call(session.auth.GetSelf, GetSelfRequest()).id)
