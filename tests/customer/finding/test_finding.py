"""Customers are found in any usual notation, in scope, page by page."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.api.finding import Finding
from customer.domain.customer import Company, ExternalId, Person, Profile
from customer.store import finding
from customer.usecases.create_customers import create_customer
from customer.usecases.merge_customers import merge_customers
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, Scope
from kernel.rpc.call import Call
from tests.customer.conftest import seller

ME = seller()
OTHER = seller()


@pytest.fixture
def ids(app: CustomerApp) -> dict[str, UUID]:
    """Five customers of mine and one of somebody else's, by short names."""
    mine = {
        "wang": Profile(
            Person("王小明", ("+8613812345678",), ("wang@example.com",)), city="上海", tags=("vip",)
        ),
        "ouyang": Profile(Person("欧阳明月"), city="上海"),
        "dan": Profile(Person("单雄信"), city="北京"),
        "smith": Profile(Person("John Smith"), city="北京", tags=("vip", "old")),
        "company": Profile(Company("上海明月科技有限公司", phones=("+862112345678",)), industry="IT"),
    }
    made = {name: create(app, ME, profile) for name, profile in mine.items()}
    made["foreign"] = create(app, OTHER, Profile(Person("王小明", ("+8613812345678",))))
    return made


def create(app: CustomerApp, owner: Principal, profile: Profile) -> UUID:
    with app.work(owner) as work:
        return create_customer(work, profile, allow_duplicate=True).id


class Client:
    """Calls the servicer as one principal."""

    def __init__(self, app: CustomerApp, principal: Principal) -> None:
        self._servicer = Finding(app)
        self._call = Call(principal, "zh", "", lambda *_: None)

    def search(self, text: str, **more: object) -> list[str]:
        request = rpc.SearchCustomersRequest(text=text, **more)  # type: ignore[arg-type]
        return [c.id for c in self._servicer.search_customers(request, self._call).customers]

    def pages(self, **asked: object) -> Iterator[list[str]]:
        token = ""
        while True:
            request = rpc.ListCustomersRequest(page_token=token, **asked)  # type: ignore[arg-type]
            answer = self._servicer.list_customers(request, self._call)
            yield [c.id for c in answer.customers]
            token = answer.next_page_token
            if not token:
                return

    def count(self, text: str = "") -> int:
        return self._servicer.count_customers(rpc.CountCustomersRequest(filter=text), self._call).customers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("138 1234 5678", {"wang"}),
        ("+86-13812345678", {"wang"}),
        ("WANG@Example.com", {"wang"}),
        ("021-12345678", {"company"}),
        ("王", {"wang"}),
        ("小明", {"wang"}),
        ("wangxiaoming", {"wang"}),
        ("wang xiao", {"wang"}),
        ("wxm", {"wang"}),
        ("明月", {"ouyang", "company"}),
        ("歐陽", {"ouyang"}),
        ("ouyang", {"ouyang"}),
        ("shanxiongxin", {"dan"}),
        ("smi", {"smith"}),
        ("JOHN", {"smith"}),
        ("科技", {"company"}),
        ("13900000000", set()),
        ("李", set()),
    ],
)
def test_a_search_finds_by_any_usual_notation(
    app: CustomerApp, ids: dict[str, UUID], text: str, found: set[str]
) -> None:
    assert set(Client(app, ME).search(text)) == {str(ids[name]) for name in found}


def test_a_search_sees_no_farther_than_the_scope(app: CustomerApp, ids: dict[str, UUID]) -> None:
    assert Client(app, OTHER).search("13812345678") == [str(ids["foreign"])]
    assert len(Client(app, seller(Scope.ALL)).search("13812345678")) == 2
    assert Client(app, seller()).search("王") == []


@pytest.mark.parametrize("text", ["", " ", "x" * 201, "，。"])
def test_a_search_for_nothing_is_refused(app: CustomerApp, text: str) -> None:
    with pytest.raises(Invalid):
        Client(app, ME).search(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('city == "上海"', {"wang", "ouyang"}),
        ('"vip" in tags && city != "上海"', {"smith"}),
        ('kind == "company" || "old" in tags', {"smith", "company"}),
        ('class.spend_tier == ""', {"wang", "ouyang", "dan", "smith", "company"}),
        ('!(city in ["上海", "北京"])', {"company"}),
        ('create_time < timestamp("2020-01-01T00:00:00Z")', set()),
    ],
)
def test_lists_and_counts_follow_one_filter(
    app: CustomerApp, ids: dict[str, UUID], text: str, found: set[str]
) -> None:
    me = Client(app, ME)
    listed = [customer for page in me.pages(filter=text) for customer in page]
    assert set(listed) == {str(ids[name]) for name in found}
    assert me.count(text) == len(found)


@pytest.mark.parametrize("order_by", ["create_time desc", "create_time", "update_time desc", "update_time"])
def test_pages_hold_each_customer_once_in_order(
    app: CustomerApp, ids: dict[str, UUID], order_by: str
) -> None:
    pages = list(Client(app, ME).pages(page_size=2, order_by=order_by))
    assert [len(page) for page in pages] == [2, 2, 1]
    mine = [str(value) for name, value in ids.items() if name != "foreign"]
    listed = [customer for page in pages for customer in page]
    assert listed == sorted(mine, reverse="desc" in order_by)


def test_a_list_by_initial_follows_the_sound_of_surnames(app: CustomerApp, ids: dict[str, UUID]) -> None:
    pages = Client(app, ME).pages(page_size=2, order_by="initial")
    names = {str(value): name for name, value in ids.items()}
    listed = [names[customer] for page in pages for customer in page]
    assert listed == ["smith", "ouyang", "dan", "company", "wang"]


def test_a_page_token_is_of_no_use_for_another_query(app: CustomerApp, ids: dict[str, UUID]) -> None:
    me = Client(app, ME)
    first = rpc.ListCustomersRequest(page_size=2)
    token = me._servicer.list_customers(first, me._call).next_page_token
    for other in ({"filter": 'city == "上海"'}, {"order_by": "create_time"}):
        with pytest.raises(Invalid):
            list(
                me._servicer.list_customers(
                    rpc.ListCustomersRequest(page_token=token, **other), me._call
                ).customers
            )


def test_an_unknown_order_is_refused_naming_those_there_are(app: CustomerApp) -> None:
    with pytest.raises(Invalid) as refused:
        finding.listing("", "name", False)
    assert "create_time" in refused.value.violations[0].en


def test_a_customer_is_found_by_its_id_elsewhere_within_reach(app: CustomerApp) -> None:
    def known(owner: Principal, *values: str) -> str:
        ids = tuple(ExternalId("erp", value) for value in values)
        return str(create(app, owner, Profile(Company("海风餐饮"), external_ids=ids)))

    mine, absorbed = known(ME, "K-1", "K-2"), known(ME, "K-3")
    known(OTHER, "K-4")
    known(ME, "K-5")
    with app.work(ME) as work:
        merge_customers(work, UUID(mine), [UUID(absorbed)])

    def listed(text: str) -> list[str]:
        return [customer for page in Client(app, ME).pages(filter=text) for customer in page]

    for value in ("K-1", "K-2", "K-3"):
        assert listed(f'external_id.erp == "{value}"') == [mine]
    assert listed('external_id.erp in ["K-3", "K-4"]') == [mine]
    for nobody in ('external_id.erp == "K-4"', 'external_id.shop == "K-1"', 'external_id.erp == "K"'):
        assert listed(nobody) == []
    with pytest.raises(Invalid):
        listed('external_id == "K-1"')


def test_the_beginning_of_the_last_syllable_finds_a_name(app: CustomerApp, ids: dict[str, UUID]) -> None:
    me = Client(app, ME)
    assert me.search("ou yang m") == [str(ids["ouyang"])]
    assert me.search("john s") == [str(ids["smith"])]
    assert me.search("john x") == []
