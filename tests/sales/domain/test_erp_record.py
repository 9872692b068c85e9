"""Which of two records of an ERP is newer, and what is answered for each."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid, Violation
from kernel.pure.ids import new_id
from sales.domain.erp_record import (
    ErpId,
    Kept,
    Outcome,
    Refused,
    Stored,
    Unchanged,
    newest_of_each,
    outcomes_of,
)


@dataclass(frozen=True)
class Record:
    external_id: ErpId
    source_version: int


records = st.builds(
    Record, st.builds(ErpId, st.sampled_from(["erp", "shop"]), st.sampled_from("abc")), st.integers(1, 5)
)


@dataclass
class Shelf:
    """Keeps what is newer, as the store must."""

    held: dict[ErpId, tuple[Record, Kept]] = field(default_factory=dict)

    def upsert(self, given: list[Record]) -> dict[ErpId, Kept]:
        return {record.external_id: self._keep(record) for record in given}

    def _keep(self, record: Record) -> Kept:
        before = self.held.get(record.external_id)
        if before and before[0].source_version >= record.source_version:
            return Kept(before[1].id, before[1].version, changed=False)
        row_id, version = (before[1].id, before[1].version) if before else (new_id(), 0)
        kept = Kept(row_id, version + 1, changed=True)
        self.held[record.external_id] = (record, kept)
        return kept


@given(st.lists(st.lists(records, max_size=8), max_size=8))
def test_any_order_of_delivery_with_any_repetition_ends_with_the_greatest_version(
    batches: list[list[Record]],
) -> None:
    shelf = Shelf()
    outcomes: list[Outcome] = []
    for batch in batches:
        newest = newest_of_each(batch)
        outcomes += outcomes_of(batch, newest, shelf.upsert(newest))
    sent = [record for batch in batches for record in batch]
    assert len(outcomes) == len(sent)
    greatest: dict[ErpId, int] = {}
    for record in sent:
        greatest[record.external_id] = max(record.source_version, greatest.get(record.external_id, 0))
    assert {key: record.source_version for key, (record, _) in shelf.held.items()} == greatest
    for _, kept in shelf.held.values():
        assert outcomes.count(Stored(kept.id)) == kept.version


@given(st.lists(records, max_size=12))
def test_records_go_to_the_store_once_each_and_in_one_order(batch: list[Record]) -> None:
    keys = [record.external_id for record in newest_of_each(batch)]
    assert keys == sorted(set(keys))


def test_a_refused_record_is_answered_in_its_place() -> None:
    right = Record(ErpId("erp", "a"), 1)
    wrong = Invalid.of(Violation("total", "REQUIRED", "is required", "必填"))
    kept = Kept(new_id(), 1, changed=True)
    outcomes = outcomes_of([wrong, right], [right], {right.external_id: kept})
    assert outcomes == [Refused(wrong), Stored(kept.id)]


def test_two_equal_records_in_a_batch_are_one_change() -> None:
    once, again = Record(ErpId("erp", "a"), 1), Record(ErpId("erp", "a"), 1)
    kept = Kept(new_id(), 1, changed=True)
    outcomes = outcomes_of([once, again], newest_of_each([once, again]), {once.external_id: kept})
    assert outcomes == [Stored(kept.id), Unchanged(kept.id)]
