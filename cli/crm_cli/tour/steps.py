"""The steps of the tour, in order."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.sales.v1.order_pb2 import OrderStatus
from crm_cli.client import Gateway, Session
from crm_cli.local.stack import StackInfo
from crm_cli.tour import cdnow, feed, freshness, refusals, sellers, truth
from crm_cli.tour.accounts import EVERYBODY, Accounts, Kept, open_accounts
from crm_cli.tour.archive_steps import ArchiveSteps
from crm_cli.tour.feed import Answers, Clients
from crm_cli.tour.figures import ClassCounts, Look, Observer, count_classes
from crm_cli.tour.life.post import Post
from crm_cli.tour.life.steps import LifeSteps
from crm_cli.tour.report import Report, Running, Value, none_of, words
from crm_cli.tour.truth import Figures

PAID = OrderStatus.ORDER_STATUS_PAID
DELIVERED = OrderStatus.ORDER_STATUS_DELIVERED
# Connections that send or look at the same time.
_CLIENTS = 3
_DIFFERENCES_TOLD = 3
# Seconds: the views are right before classes are counted, only timers may still be at work.
_CLASSES_WITHIN = 60.0
_PAUSE = 0.5


class Tour:
    """One run.

    Source versions grow with the time of the run, as an ERP's do: whatever an earlier run left, also one
    that was cut off, what this one says is newer. The order status changes with each sending, so that a
    view tells whether it has heard of this sending yet.
    """

    def __init__(self, stack: StackInfo, certificate_key: str | None, report: Report) -> None:
        self._stack, self._certificate_key = stack, certificate_key
        self._gateway = Gateway(stack.gateway_url, Path(stack.ca_file))
        self._admin_login = stack.admin_login
        self._admin = self._gateway.password_account(stack.admin_login, stack.admin_password)
        self._folder = Path(stack.folder)
        self._report = report
        self._run = uuid4()
        self._version = time.time_ns() // 1_000_000
        self._day = cdnow.today()
        self._purchases = cdnow.shifted(cdnow.read(), self._day)

    def run(self) -> None:
        """All steps; after a feed that failed or never showed, the others would say nothing."""
        admin = self._admin.session()
        self._sign_in(admin)
        accounts = None if self._report.failed() else self._accounts(admin)
        if accounts is None:
            return
        writers = Clients([accounts.erp.session() for _ in range(_CLIENTS)])
        self._product(accounts)
        ids = {} if self._report.failed() else self._customers(writers)
        if self._report.failed():
            return
        # So many reads are a program's: people may not call that often.
        readers = Clients([accounts.erp.session() for _ in range(_CLIENTS)])
        observer = Observer(readers, ids, self._purchases)
        self._feed(writers, ids)
        self._figures("views show the feed", observer, PAID)
        if self._report.failed():
            return
        self._tiers_and_rfm(admin, "")
        self._feed_again(writers, ids)
        self._figures("views after the same again", observer, PAID)
        self._feed_shuffled(writers, ids)
        self._figures("views after the shuffle", observer, DELIVERED)
        self._freshness(writers, accounts.erp.session(), admin, ids)
        self._refusals(accounts)
        number, somebody = next(iter(ids.items()))
        self._sellers(accounts, somebody)
        self._archive(accounts, admin, number, somebody)
        life = LifeSteps(self._report, accounts, Post(self._stack), self._certificate_key, self._run)
        life.run(self._purchases, ids)
        self._figures("views at the end", observer, DELIVERED)
        self._tiers_and_rfm(admin, " at the end")

    def _tiers_and_rfm(self, admin: Session, when: str) -> None:
        self._classes(admin, truth.TIER_SCHEME, f"spend tiers{when}", truth.KNOWN_TIERS)
        self._classes(admin, truth.RFM_SCHEME, f"RFM classes{when}", None)

    def _sign_in(self, admin: Session) -> None:
        with self._report.step("sign in", 1) as step:
            answer = admin.call(admin.auth.GetSelf, GetSelfRequest())
            step.tick(1)
            step.result(1, self._admin_login, answer.login)

    def _accounts(self, admin: Session) -> Accounts | None:
        opened = None
        with self._report.step("accounts of every role", EVERYBODY) as step:
            opened = open_accounts(self._gateway, admin, self._folder)
            step.tick(EVERYBODY)
            # Whoever can't sign in ends the step with the refusal.
            step.result(EVERYBODY, "signed in", "signed in")
        return opened

    def _product(self, accounts: Accounts) -> None:
        with self._report.step("product", 1) as step:
            answers = feed.send_product(accounts.erp.session(), self._version, self._run)
            step.tick(1)
            step.result(1, {"accepted": 1}, _accepted(answers))

    def _customers(self, writers: Clients) -> dict[str, str]:
        """The customers' ids by their number in the file."""
        ids: dict[str, str] = {}
        with self._report.step("customers", truth.KNOWN_CUSTOMERS) as step:
            answers = feed.send_customers(writers, self._purchases, self._run, step.tick)
            ids = answers.ids
            step.result(len(ids), {"accepted": truth.KNOWN_CUSTOMERS}, _accepted(answers))
        return ids

    def _feed(self, writers: Clients, ids: Mapping[str, str]) -> None:
        with self._report.step("orders", truth.KNOWN_ORDERS) as step:
            answers = self._send_feed(writers, ids, "feed", step)
            step.result(answers.accepted, {"accepted": truth.KNOWN_ORDERS}, _accepted(answers))

    def _feed_again(self, writers: Clients, ids: Mapping[str, str]) -> None:
        with self._report.step("the same orders again", truth.KNOWN_ORDERS) as step:
            answers = self._send_feed(writers, ids, "feed again", step)
            step.result(answers.accepted, f"{truth.KNOWN_ORDERS:,} unchanged", answers.told())

    def _send_feed(self, writers: Clients, ids: Mapping[str, str], label: str, step: Running) -> Answers:
        orders = [feed.order(p, ids[p.customer], self._version, PAID) for p in self._purchases]
        return feed.send_orders(writers, orders, self._run, label, step.tick)

    def _feed_shuffled(self, writers: Clients, ids: Mapping[str, str]) -> None:
        orders = feed.shuffled_with_stale(self._purchases, ids, self._version + 2, DELIVERED)
        with self._report.step("shuffled with stale versions", len(orders)) as step:
            answers = feed.send_orders(writers, orders, self._run, "shuffled", step.tick)
            step.result(answers.accepted, {"accepted": len(orders)}, _accepted(answers))

    def _figures(self, name: str, observer: Observer, status: OrderStatus) -> None:
        with self._report.step(name, truth.KNOWN_CUSTOMERS) as step:
            look = observer.catch_up(status, step.tick)
            step.result(look.actual.customers, _sums(look.expected), _seen(look), ok=not look.wrong)

    def _classes(self, admin: Session, scheme: str, name: str, known: Mapping[str, int] | None) -> None:
        """Counts the tour's own customers, and sees that the system's own count is that of a listing."""
        with self._report.step(name, truth.KNOWN_CUSTOMERS) as step:
            expected: Mapping[str, int] = {}
            counts = ClassCounts({}, {}, {})
            give_up = time.monotonic() + _CLASSES_WITHIN
            while time.monotonic() < give_up:
                expected = self._expected_classes(scheme, known)
                counts = count_classes(admin, scheme)
                if counts.own == expected and counts.agree:
                    break
                time.sleep(_PAUSE)
            step.tick(sum(counts.own.values()))
            step.result(sum(counts.own.values()), expected, _seen_classes(counts, expected))

    def _expected_classes(self, scheme: str, known: Mapping[str, int] | None) -> Mapping[str, int]:
        """What is known; after midnight, when the last order is no longer of today, what is computed."""
        day = cdnow.today()
        if known is not None and day == self._day:
            return known
        computed = truth.figures(truth.facts(self._purchases, day))
        return computed.tiers if scheme == truth.TIER_SCHEME else computed.rfm

    def _freshness(self, writers: Clients, writer: Session, reader: Session, ids: Mapping[str, str]) -> None:
        samples = freshness.sample(self._purchases)
        with self._report.step("an order shows in the view", len(samples)) as step:
            try:
                lags = freshness.measure(
                    writer, reader, samples, ids, self._version + 3, self._run, step.tick
                )
            finally:
                before = [feed.order(p, ids[p.customer], self._version + 4, DELIVERED) for p in samples]
                feed.send_orders(writers, before, self._run, "after freshness", lambda _: None)
            p99 = lags.quantile(0.99)
            actual = f"p50 {lags.quantile(0.5):.3f} s, p99 {p99:.3f} s"
            step.result(
                len(lags.seconds), f"p99 within {freshness.LIMIT:g} s", actual, ok=p99 <= freshness.LIMIT
            )

    def _refusals(self, accounts: Accounts) -> None:
        kept = Kept.load(self._folder)
        erp, seller = accounts.erp.token(), accounts.sellers[0].token()
        tried = refusals.attempts(erp, seller, kept.old_token)
        with self._report.step("refusals by gRPC and JSON", 2 * len(tried)) as step:
            wrong = list(refusals.differences(self._gateway, tried, step.tick))
            step.result(2 * len(tried), "each with its code", none_of(wrong, "each with its code"))
        replace(kept, old_token=erp).save(self._folder)

    def _sellers(self, accounts: Accounts, somebody_else: str) -> None:
        with self._report.step("what a seller sees", sellers.CHECKS) as step:
            owner, other = (account.session() for account in accounts.sellers)
            wrong = list(sellers.differences(owner, other, somebody_else, step.tick))
            step.result(sellers.CHECKS, "their own only", none_of(wrong, "their own only"))

    def _archive(self, accounts: Accounts, admin: Session, number: str, somebody: str) -> None:
        """What a team does with the archive. `somebody` is the feed's customer of this number."""
        phone = feed.phone_of(number)
        ArchiveSteps(self._report, admin, accounts.branch, self._run).run(somebody, phone)


def _accepted(answers: Answers) -> Value:
    """For the report: how many were accepted, and why others were not."""
    return answers.told() if answers.errors else {"accepted": answers.accepted}


def _sums(figures: Figures) -> dict[str, int]:
    return {"customers": figures.customers, "orders": figures.orders, "CNY": int(figures.total)}


def _seen(look: Look) -> Value:
    sums = _sums(look.actual)
    if not look.wrong:
        return sums
    some = ", ".join(look.wrong[:_DIFFERENCES_TOLD])
    return f"{words(sums)}; {len(look.wrong)} views differ: {some} …"


def _seen_classes(counts: ClassCounts, expected: Mapping[str, int]) -> Value:
    """The tour's own counts, in the order of `expected`; in words when the system counts other than it
    lists.
    """
    own = {name: counts.own.get(name, 0) for name in expected} | dict(counts.own)
    if counts.agree:
        return own
    return f"{words(own)}; counted: {words(counts.told)}; listed: {words(counts.listed)}"
