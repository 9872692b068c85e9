"""Whose a lead becomes (S-09): region and industry, capacity and absence, in turn among equals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from uuid import UUID

from kernel.pure.errors import Checks
from sales.domain.lead import LONGEST_TEXT, Lead
from sales.domain.reading import read_text

MOST_PLACES = 100
LARGEST_CAPACITY = 100_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Seller:
    """Which leads a seller gets; no provinces or industries mean any. `held` open leads are theirs."""

    user_id: UUID
    provinces: tuple[str, ...]
    industries: tuple[str, ...]
    capacity: int
    absent_from: date | None = None
    absent_until: date | None = None
    held: int = 0
    disabled: bool = False
    last_assigned_at: datetime | None = None

    def absent(self, day: date) -> bool:
        return bool(self.absent_from and self.absent_until and self.absent_from <= day <= self.absent_until)


@dataclass(frozen=True)
class Assignment:
    """A decision whose a lead is, with its reasons; `owner_id` None is the public pool."""

    owner_id: UUID | None
    way: str
    matched: tuple[str, ...] = ()
    candidates: int = 0
    equals: int = 0
    passed_over: Mapping[str, str] = field(default_factory=dict)


def choose_owner(
    lead: Lead, sellers: Sequence[Seller], today: date, had_it: Collection[UUID] = ()
) -> Assignment:
    """The seller who fits best; among equals the one longest without a new lead, of several who got theirs
    at the same instant the one with fewest.

    One who names the lead's province or industry fits better than one who takes any; `had_it` don't
    get it again. With nobody left it goes to the pool.
    """
    passed_over: dict[str, str] = {}
    fitting: list[tuple[Seller, tuple[str, ...]]] = []
    for seller in sellers:
        hindrance = _hindrance(seller, lead, today, had_it)
        if hindrance:
            passed_over[str(seller.user_id)] = hindrance
        else:
            fitting.append((seller, _matched(seller, lead)))
    most = max((len(matched) for _, matched in fitting), default=0)
    equals = sorted(
        ((seller, matched) for seller, matched in fitting if len(matched) == most),
        key=lambda pair: (pair[0].last_assigned_at or _LONG_AGO, pair[0].held, pair[0].user_id),
    )
    owner, matched = equals[0] if equals else (None, ())
    return Assignment(
        owner_id=owner.user_id if owner else None,
        way="rules",
        matched=matched,
        candidates=len(fitting),
        equals=len(equals),
        passed_over=passed_over,
    )


class Roster:
    """Who would get which of several leads that are about to come in, one after the other."""

    def __init__(self, sellers: Sequence[Seller], now: datetime, today: date) -> None:
        self._sellers = {seller.user_id: seller for seller in sellers}
        self._now, self._today = now, today

    def expect(self, lead: Lead) -> UUID | None:
        """Whose the lead would be, who counts it from here on; None for the public pool."""
        owner_id = choose_owner(lead, list(self._sellers.values()), self._today).owner_id
        if owner_id is not None:
            seller = self._sellers[owner_id]
            self._sellers[owner_id] = replace(seller, held=seller.held + 1, last_assigned_at=self._now)
        return owner_id


def _hindrance(seller: Seller, lead: Lead, today: date, had_it: Collection[UUID]) -> str:
    """Why a seller can't get a lead; empty when they can."""
    if seller.disabled:
        return "disabled"
    if seller.user_id in had_it:
        return "had it"
    if seller.provinces and lead.province not in seller.provinces:
        return "province"
    if seller.industries and lead.industry not in seller.industries:
        return "industry"
    if seller.absent(today):
        return "absent"
    return "full" if seller.held >= seller.capacity else ""


def _matched(seller: Seller, lead: Lead) -> tuple[str, ...]:
    named = {"province": seller.provinces, "industry": seller.industries}
    return tuple(name for name, values in named.items() if getattr(lead, name) in values)


def read_seller(seller: Seller) -> None:
    """Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    for name in ("provinces", "industries"):
        values = getattr(seller, name)
        if len(values) > MOST_PLACES:
            checks.refuse(
                f"profile.{name}", "TOO_MANY", f"has at most {MOST_PLACES} entries", f"最多 {MOST_PLACES} 项"
            )
        for index, value in enumerate(values[:MOST_PLACES]):
            read_text(checks, f"profile.{name}[{index}]", value, LONGEST_TEXT)
    if not 0 <= seller.capacity <= LARGEST_CAPACITY:
        checks.refuse(
            "profile.capacity",
            "RANGE",
            f"must be 0 to {LARGEST_CAPACITY}",
            f"必须在 0 至 {LARGEST_CAPACITY} 之间",
        )
    first, last = seller.absent_from, seller.absent_until
    if (first is None) != (last is None) or (first is not None and last is not None and last < first):
        checks.refuse(
            "profile.absent_until", "ABSENCE", "must be the last day of an absence", "必须是缺勤的最后一天"
        )
    checks.raise_if_any()
