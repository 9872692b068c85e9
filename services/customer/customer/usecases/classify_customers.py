"""Keeping classes true: when orders arrive, and when time alone changes what they mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from customer.domain.classification import Classifier
from customer.domain.events import ClassifiedCustomer, CustomersClassified
from customer.domain.purchases import Purchases
from customer.domain.schemes import Scheme, Verdict
from customer.usecases.ports import ClassRow, OrderRow, Work
from kernel.pure.clock import today

_MOST_IN_AN_EVENT = 500


def apply_orders(work: Work, orders: Sequence[OrderRow]) -> None:
    """Takes over orders as sales told them and classifies the customers they concern."""
    classify_customers(work, work.purchases.apply(orders))


def classify_customers(work: Work, customer_ids: Collection[UUID]) -> None:
    """Decides the classes of customers anew from their orders, and when to look again."""
    day = today(work.clock)
    grounds = work.classes.grounds(customer_ids, day)
    held = {(row.customer_id, row.scheme): row for row in grounds.classes}
    classifier = Classifier.of(grounds.schemes)
    rows: list[ClassRow] = []
    facts: list[ClassifiedCustomer] = []
    reviews: dict[UUID, date | None] = {}
    for customer_id in grounds.customer_ids:
        verdicts = classifier.decide(grounds.purchases.get(customer_id, Purchases()), day)
        reviews[customer_id] = min((v.review_on for _, v in verdicts if v.review_on), default=None)
        for scheme, verdict in verdicts:
            before = held.get((customer_id, scheme.id))
            row = _row(customer_id, scheme, verdict, before, work.now)
            if row is None or row == before:
                continue
            rows.append(row)
            if before is None or before.class_ != row.class_:
                facts.append(_fact(row, before))
    work.classes.save(rows, facts, reviews)
    for start in range(0, len(facts), _MOST_IN_AN_EVENT):
        work.record(CustomersClassified(tuple(facts[start : start + _MOST_IN_AN_EVENT])))


def _row(
    customer_id: UUID, scheme: Scheme, verdict: Verdict, before: ClassRow | None, now: datetime
) -> ClassRow | None:
    """What to hold now; None for a customer who never had a class and has none now."""
    if before is None and not verdict.class_:
        return None
    same = before is not None and before.class_ == verdict.class_
    return ClassRow(
        customer_id=customer_id,
        scheme=scheme.id,
        class_=verdict.class_,
        version=(before.version if before else 0) + (not same),
        scheme_version=scheme.version,
        since=before.since if before and same else now,
        review_on=verdict.review_on,
    )


def _fact(row: ClassRow, before: ClassRow | None) -> ClassifiedCustomer:
    return ClassifiedCustomer(
        customer_id=row.customer_id,
        scheme=row.scheme,
        version=row.version,
        class_=row.class_,
        previous_class=before.class_ if before else "",
        scheme_version=row.scheme_version,
    )
