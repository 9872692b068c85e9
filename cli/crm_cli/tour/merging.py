"""One merge taken back and made again: no piece changes, and what was edited stays with the survivor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from google.protobuf.field_mask_pb2 import FieldMask

from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.customer_service_pb2 import GetCustomerRequest, UpdateCustomerRequest
from crm.customer.v1.duplicate_service_pb2 import (
    DuplicateScan,
    GetDuplicateScanRequest,
    ListDuplicatePairsRequest,
    MatchDecision,
    MergeCustomersRequest,
    ScanState,
    StartDuplicateScanRequest,
    UnmergeCustomerRequest,
)
from crm.customer.v1.timeline_service_pb2 import ListTimelineRequest
from crm_cli.client import Session, wait_until
from crm_cli.tour import febrl, finding
from crm_cli.tour.febrl import Row
from crm_cli.tour.feed import Tick

CHECKS = 8
_PAGE = 200
# Seconds a scan may take; the parts of the system may be restarting meanwhile.
_SCAN = 180.0
_BUSY = (ScanState.SCAN_STATE_WAITING, ScanState.SCAN_STATE_RUNNING)


def scan(manager: Session, run: UUID) -> DuplicateScan:
    """A scan of the manager's customers that merges who is surely the same, at its end."""
    request = StartDuplicateScanRequest(merge=True, request_id=str(uuid5(run, "scan")))
    started: DuplicateScan = manager.call(manager.duplicates.StartDuplicateScan, request)

    def look() -> DuplicateScan | None:
        request = GetDuplicateScanRequest(id=started.id)
        now: DuplicateScan = manager.call(manager.duplicates.GetDuplicateScan, request)
        return None if now.state in _BUSY else now

    return wait_until(look, _SCAN)


def sure_pairs(manager: Session) -> int:
    """How many pairs, at most a page, are surely the same and wait to be merged."""
    request = ListDuplicatePairsRequest(page_size=_PAGE, decision=MatchDecision.MATCH_DECISION_SAME)
    return len(manager.call(manager.duplicates.ListDuplicatePairs, request).pairs)


def sample(rows: Sequence[Row], groups: Sequence[Sequence[str]]) -> tuple[Row, Row]:
    """The first two records of one person that the system knows as one, each with a phone of its own."""
    together = set(febrl.pairs(groups))
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.whose, row)
        apart = row.phones and other.phones and not _numbers(row) & _numbers(other)
        if apart and frozenset({row.number, other.number}) in together:
            return other, row
    raise LookupError("no two records with phones of their own were merged")


@dataclass(frozen=True)
class Cycle:
    """`manager` merges and un-merges what `owner` reads; `one` and `other` are the records of one person."""

    manager: Session
    owner: Session
    one: Row
    other: Row
    run: UUID

    def differences(self, tick: Tick) -> Iterator[str]:
        """Goes around once and ends with the two merged. Yields what is other than it must be."""
        for name, holds in self._around(*self._apart()):
            tick(1)
            if not holds:
                yield f"not so: {name}"

    def _around(self, survivor_id: str, absorbed_id: str) -> Iterator[tuple[str, bool]]:
        """What was checked, and whether it holds."""
        own, absorbed = self._get(survivor_id), self._get(absorbed_id)
        yield "apart each is what was imported", self._as_imported(own, absorbed)
        self._merge(survivor_id, absorbed_id, "again")
        both = self._get(survivor_id)
        phones = {*own.person.phones, *absorbed.person.phones}
        yield "the survivor shows the phones of both", set(both.person.phones) == phones
        yield "the absorbed one is read through the survivor", self._get(absorbed_id) == both
        edit = f"巡检 {self.run.hex[:8]}"
        edited = self._edit(absorbed_id, edit)
        yield "an edit through the absorbed one is the survivor's", edited == survivor_id
        self._unmerge(absorbed_id, "back")
        back = self._get(absorbed_id)
        yield "taken out, the absorbed one is as before", _values(back) == _values(absorbed)
        own.industry = edit
        yield "the edit stays with the survivor", _values(self._get(survivor_id)) == _values(own)
        self._merge(survivor_id, absorbed_id, "at the end")
        again = self._get(survivor_id)
        yield "merged again, it shows the contacts of both", _contacts(again) == _contacts(both)
        found = finding.search(self.manager, absorbed.person.phones[0])
        yield "the absorbed one's phone finds the survivor", found == [survivor_id]

    def _apart(self) -> tuple[str, str]:
        """The survivor and the absorbed one, taken out of it. An earlier run may have left them apart."""
        [found] = finding.search(self.owner, self.one.phones[0])
        [also] = finding.search(self.owner, self.other.phones[0])
        if found != also:
            return min(found, also), max(found, also)  # ids grow with time: the older one survives
        absorbed_id = self._absorbed(found)
        self._unmerge(absorbed_id, "first")
        return found, absorbed_id

    def _absorbed(self, survivor_id: str) -> str:
        """Who was merged into the survivor last, by its timeline."""
        request = ListTimelineRequest(customer_id=survivor_id, page_size=_PAGE)
        entries = self.owner.call(self.owner.timelines.ListTimeline, request).entries
        merges = [entry.merge for entry in entries if entry.WhichOneof("what") == "merge"]
        absorbed_id: str = merges[0].absorbed_id
        return absorbed_id

    def _as_imported(self, one: Customer, other: Customer) -> bool:
        told = {_number(customer): customer.person for customer in (one, other)}
        return set(told) == {self.one.number, self.other.number} and all(
            told[row.number].full_name == row.full_name
            and {*told[row.number].phones} == _numbers(row)
            and told[row.number].street_address == ", ".join(row.street_lines)
            for row in (self.one, self.other)
        )

    def _get(self, customer_id: str) -> Customer:
        customer: Customer = self.owner.call(
            self.owner.customers.GetCustomer, GetCustomerRequest(id=customer_id)
        )
        return customer

    def _merge(self, survivor_id: str, absorbed_id: str, when: str) -> None:
        request = MergeCustomersRequest(
            survivor_id=survivor_id, absorbed_ids=[absorbed_id], request_id=self._request_id(f"merge {when}")
        )
        self.manager.call(self.manager.duplicates.MergeCustomers, request)

    def _unmerge(self, absorbed_id: str, when: str) -> None:
        request = UnmergeCustomerRequest(id=absorbed_id, request_id=self._request_id(f"unmerge {when}"))
        self.manager.call(self.manager.duplicates.UnmergeCustomer, request)

    def _edit(self, customer_id: str, industry: str) -> str:
        """Changes the industry; the id of who was changed."""
        request = UpdateCustomerRequest(
            customer=Customer(id=customer_id, industry=industry),
            update_mask=FieldMask(paths=["industry"]),
            request_id=self._request_id("edit"),
        )
        changed: Customer = self.manager.call(self.manager.customers.UpdateCustomer, request)
        return changed.id

    def _request_id(self, what: str) -> str:
        return str(uuid5(self.run, f"{self.other.number} {what}"))


def _numbers(row: Row) -> set[str]:
    return {febrl.e164(phone) for phone in row.phones}


def _number(customer: Customer) -> str:
    """The record number of a customer that is one record; empty for several."""
    numbers = record_numbers(customer)
    return numbers[0] if len(numbers) == 1 else ""


def record_numbers(customer: Customer) -> list[str]:
    """The records of the file that a customer is made of."""
    return [known.value for known in customer.external_ids if known.source == febrl.SOURCE]


def _values(customer: Customer) -> Customer:
    """The customer without what each change renews."""
    values = Customer()
    values.CopyFrom(customer)
    values.ClearField("etag")
    values.ClearField("update_time")
    return values


def _contacts(customer: Customer) -> tuple[set[str], set[str]]:
    return set(customer.person.phones), set(customer.person.emails)
