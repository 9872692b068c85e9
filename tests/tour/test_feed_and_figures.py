"""The feed and what the tour makes of the views, against a small CRM that can be wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from crm.customer.v1.customer_service_pb2_grpc import add_CustomerServiceServicer_to_server
from crm.gateway.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from crm.sales.v1.order_pb2 import OrderStatus
from crm.sales.v1.order_service_pb2_grpc import add_OrderServiceServicer_to_server
from crm_cli.client import Account, Gateway, TimedOut
from crm_cli.tour import cdnow, feed, figures, freshness, truth
from crm_cli.tour.feed import Clients
from tests.tour.small_crm import SmallCrm

CUSTOMERS = 30
PAID = OrderStatus.ORDER_STATUS_PAID
DELIVERED = OrderStatus.ORDER_STATUS_DELIVERED
VERSION = 1000
Served = Callable[..., Gateway]


def quietly(_: int) -> None:
    """No progress bar."""


@dataclass
class Job:
    """The feed of the first customers of the file, sent to a small CRM."""

    crm: SmallCrm
    account: Account
    purchases: list[cdnow.Purchase]
    ids: dict[str, str]

    def __post_init__(self) -> None:
        self.clients = Clients([self.account.session() for _ in range(3)])

    def send(self, version: int = VERSION, run: UUID | None = None) -> feed.Answers:
        orders = [feed.order(p, self.ids[p.customer], version, PAID) for p in self.purchases]
        return feed.send_orders(self.clients, orders, run or uuid4(), "feed", quietly)

    def send_shuffled(self) -> feed.Answers:
        orders = feed.shuffled_with_stale(self.purchases, self.ids, VERSION + 2, DELIVERED)
        return feed.send_orders(self.clients, orders, uuid4(), "shuffled", quietly)

    def look(self, status: OrderStatus) -> figures.Look:
        return figures.Observer(self.clients, self.ids, self.purchases).catch_up(status, quietly)


@pytest.fixture
def job(serve: Served, monkeypatch: pytest.MonkeyPatch) -> Job:
    crm = SmallCrm()
    gateway = serve(
        crm,
        add_AuthServiceServicer_to_server,
        add_CustomerServiceServicer_to_server,
        add_OrderServiceServicer_to_server,
    )
    every = cdnow.shifted(cdnow.read(), cdnow.today())
    first = sorted({purchase.customer for purchase in every})[:CUSTOMERS]
    purchases = [purchase for purchase in every if purchase.customer in first]
    account = gateway.password_account("admin", "a long password")
    job = Job(crm, account, purchases, {})
    job.ids = feed.send_customers(job.clients, purchases, uuid4(), quietly).ids
    monkeypatch.setattr(figures, "CATCH_UP", 0.5)
    return job


def expected(job: Job) -> truth.Figures:
    return truth.figures(truth.facts(job.purchases, cdnow.today()))


def test_customers_are_recorded_once_however_often_they_are_sent(job: Job) -> None:
    again = feed.send_customers(job.clients, job.purchases, uuid4(), quietly)
    assert len(job.crm.customers) == CUSTOMERS
    assert (again.stored, again.unchanged) == (0, CUSTOMERS)
    assert again.ids == job.ids


def test_what_the_views_show_after_the_feed_is_the_truth(job: Job) -> None:
    assert job.send().stored == len(job.purchases)
    look = job.look(PAID)
    assert not look.wrong
    assert look.actual == look.expected == expected(job)


def test_the_same_feed_changes_nothing(job: Job) -> None:
    job.send()
    assert job.send().unchanged == len(job.purchases)
    assert job.look(PAID).actual == expected(job)


def test_shuffled_and_stale_versions_end_in_the_same_figures(job: Job) -> None:
    job.send()
    answers = job.send_shuffled()
    assert answers.accepted > len(job.purchases)
    look = job.look(DELIVERED)
    assert not look.wrong
    assert look.actual == expected(job)


def test_a_feed_that_the_views_have_not_heard_of_is_noticed(job: Job) -> None:
    job.send()
    assert len(job.look(DELIVERED).wrong) == CUSTOMERS


def test_a_stale_version_that_wins_is_noticed(job: Job) -> None:
    job.send()
    job.crm.any_version_wins = True
    job.send_shuffled()
    look = job.look(DELIVERED)
    assert look.wrong
    assert look.actual != look.expected


def test_a_lost_order_is_noticed(job: Job) -> None:
    job.crm.lost = {job.purchases[0].order_id}
    job.send()
    look = job.look(PAID)
    assert look.wrong == [job.purchases[0].customer]
    assert look.actual.orders == look.expected.orders - 1


def test_an_order_counted_twice_is_noticed(job: Job) -> None:
    job.crm.counted_twice = {job.purchases[0].order_id}
    job.send()
    look = job.look(PAID)
    assert look.wrong == [job.purchases[0].customer]
    assert look.actual.orders == look.expected.orders + 1


@pytest.mark.parametrize("scheme", [truth.TIER_SCHEME, truth.RFM_SCHEME])
def test_classes_are_counted_over_all_pages(job: Job, scheme: str) -> None:
    job.send()
    counts = figures.count_classes(job.account.session(), scheme)
    assert counts.own == counts.listed == counts.told
    assert counts.own == (expected(job).tiers if scheme == truth.TIER_SCHEME else expected(job).rfm)


def test_freshness_is_measured_for_each_sample_and_leaves_the_figures(job: Job) -> None:
    job.send_shuffled()
    samples = freshness.sample(job.purchases)
    session = job.account.session()
    lags = freshness.measure(session, session, samples, job.ids, VERSION + 3, uuid4(), quietly)
    assert len(lags.seconds) == len(samples) > 20
    assert lags.quantile(0.5) <= lags.quantile(0.99) <= lags.seconds[-1]
    assert job.look(DELIVERED).actual == expected(job)


def test_a_view_that_never_shows_the_order_ends_the_waiting(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "_SHOWN_AT_LAST", 0.2)
    job.send()
    job.crm.views_hear_nothing = True
    session = job.account.session()
    samples = freshness.sample(job.purchases)[:1]
    with pytest.raises(TimedOut):
        freshness.measure(session, session, samples, job.ids, VERSION + 3, uuid4(), quietly)


@pytest.mark.parametrize(("share", "lag"), [(0.5, 0.5), (0.99, 0.99), (1.0, 1.0)])
def test_a_quantile_is_the_lag_that_this_share_stays_within(share: float, lag: float) -> None:
    assert freshness.Lags([n / 100 for n in range(1, 101)]).quantile(share) == lag
