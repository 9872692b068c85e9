"""Saying that two customers that look alike are two (C-12)."""

from __future__ import annotations

from uuid import UUID

from customer.domain.duplicates import Pair
from customer.usecases.merge_customers import PERMISSION
from customer.usecases.ports import Work


def dismiss_pair(work: Work, one: UUID, other: UUID) -> Pair:
    """Lets no list show the pair again, and no scan merge it. Raises PairNotFound."""
    pair = work.pairs.dismiss(one, other, PERMISSION)
    work.audit("dismiss", "duplicate_pair", pair.first_id, second=str(pair.second_id))
    return pair
