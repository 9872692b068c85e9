"""Survivors are edited as they are shown; only what differs becomes theirs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.domain.errors import ValueOfAbsorbed
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Scope
from tests.customer.api.calls import Client, user
from tests.customer.merging.test_merge_customers import merge, unmerge

PHONES = [f"+86138000000{n:02}" for n in range(20)]


@pytest.fixture
def client(app: CustomerApp) -> Client:
    verbs = ("read", "create", "update", "merge")
    grants = {f"customers_{verb}": Scope.ALL for verb in verbs}
    return Client(app, user(personal_read=Scope.ALL, **grants))


def person(client: Client, number: int, phones: list[str], **more: Any) -> Any:
    ids = [{"source": "erp", "value": f"K-{number}"}]
    return client.create(person={"full_name": "王小明", "phones": phones}, external_ids=ids, **more)


def merged(app: CustomerApp, client: Client, *ids: str) -> Any:
    merge(app, *map(UUID, ids), principal=client.principal)
    return client.get(ids[0])


def save(client: Client, customer: Any, *paths: str) -> Any:
    request = rpc.UpdateCustomerRequest(customer=customer, update_mask={"paths": paths})
    return client.ask("update_customer", request)


def test_what_is_shown_can_be_sent_back(app: CustomerApp, client: Client) -> None:
    one = person(client, 1, PHONES[:6], tags=["a"])
    other = person(client, 2, PHONES[6:12], tags=["b"], industry="餐饮")
    shown = merged(app, client, one.id, other.id)
    assert len(shown.person.phones) == 12, "more than one customer may have"
    assert save(client, shown).etag == shown.etag, "nothing changed"
    shown.city = "杭州市"
    assert save(client, shown).city == "杭州市"
    unmerge(app, UUID(other.id), principal=client.principal)
    apart = client.get(one.id)
    assert (apart.city, apart.industry, [*apart.tags]) == ("杭州市", "", ["a"])
    assert [*apart.person.phones] == PHONES[:6]
    assert [known.value for known in apart.external_ids] == ["K-1"]


def test_what_is_added_to_the_union_is_the_survivors(app: CustomerApp, client: Client) -> None:
    one, other = person(client, 1, PHONES[:1]), person(client, 2, PHONES[1:2])
    shown = merged(app, client, one.id, other.id)
    shown.person.phones.append(PHONES[2])
    assert [*save(client, shown).person.phones] == [PHONES[0], PHONES[2], PHONES[1]]
    unmerge(app, UUID(other.id), principal=client.principal)
    assert [*client.get(one.id).person.phones] == [PHONES[0], PHONES[2]]
    assert [*client.get(other.id).person.phones] == [PHONES[1]]


def test_what_the_survivor_knows_itself_can_be_taken_away(app: CustomerApp, client: Client) -> None:
    one, other = person(client, 1, PHONES[:2]), person(client, 2, PHONES[2:3])
    shown = merged(app, client, one.id, other.id)
    shown.person.phones.remove(PHONES[0])
    assert [*save(client, shown).person.phones] == [PHONES[1], PHONES[2]]


@pytest.mark.parametrize("path", ["person.phones", "tags", "external_ids", "industry"])
def test_what_an_absorbed_customer_knows_is_not_silently_kept(
    app: CustomerApp, client: Client, path: str
) -> None:
    one = person(client, 1, PHONES[:1])
    other = person(client, 2, PHONES[1:2], tags=["错"], industry="餐饮")
    shown = merged(app, client, one.id, other.id)
    shown.person.phones.remove(PHONES[1])
    del shown.tags[:]
    del shown.external_ids[1:]
    shown.industry = ""
    with pytest.raises(ValueOfAbsorbed) as refused:
        save(client, shown, path)
    assert refused.value.metadata == {"field": path, "id": other.id}


def test_a_text_of_an_absorbed_customer_gives_way_to_the_survivors_own(
    app: CustomerApp, client: Client
) -> None:
    one, other = person(client, 1, []), person(client, 2, [], industry="餐饮")
    shown = merged(app, client, one.id, other.id)
    shown.industry = "酒店"
    assert save(client, shown).industry == "酒店"


def test_the_survivor_itself_holds_no_more_than_any_customer(app: CustomerApp, client: Client) -> None:
    one, other = person(client, 1, PHONES[:10]), person(client, 2, PHONES[10:11])
    shown = merged(app, client, one.id, other.id)
    shown.person.phones.append(PHONES[11])
    with pytest.raises(Invalid) as refused:
        save(client, shown)
    assert [violation.rule for violation in refused.value.violations] == ["TOO_MANY"]
