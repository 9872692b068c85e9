"""DuplicateService: customers that are the same person or company."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import duplicate_service_pb2 as rpc
from customer.api import translate
from customer.api.showing import Showing
from customer.domain.duplicates import Hit
from customer.domain.errors import ScanNotFound
from customer.domain.matching import Reason
from customer.store import duplicate_queries as queries
from customer.usecases.check_duplicates import check_duplicates
from customer.usecases.dismiss_pair import dismiss_pair
from customer.usecases.merge_customers import merge_customers
from customer.usecases.scan_duplicates import start_scan
from customer.usecases.unmerge_customer import unmerge_customer
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call

_DECISIONS = {
    "": rpc.MATCH_DECISION_UNSPECIFIED,
    "possible": rpc.MATCH_DECISION_POSSIBLE,
    "same": rpc.MATCH_DECISION_SAME,
}
_DECISION_NAMES = {number: name for name, number in _DECISIONS.items()}


class DuplicateServicer(Showing):
    def check_duplicates(
        self, request: rpc.CheckDuplicatesRequest, call: Call
    ) -> rpc.CheckDuplicatesResponse:
        found = check_duplicates(call.work, translate.profile(request.customer, "customer"))
        return rpc.CheckDuplicatesResponse(matches=[_match(hit) for hit in found])

    def merge_customers(self, request: rpc.MergeCustomersRequest, call: Call) -> pb.Customer:
        survivor_id = parse_id(request.survivor_id, "survivor_id")
        absorbed_ids = [parse_id(text, f"absorbed_ids[{i}]") for i, text in enumerate(request.absorbed_ids)]
        merge_customers(call.work, survivor_id, absorbed_ids)
        return self._written(survivor_id, call)

    def unmerge_customer(self, request: rpc.UnmergeCustomerRequest, call: Call) -> pb.Customer:
        customer_id = parse_id(request.id, "id")
        unmerge_customer(call.work, customer_id)
        return self._written(customer_id, call)

    def start_duplicate_scan(self, request: rpc.StartDuplicateScanRequest, call: Call) -> rpc.DuplicateScan:
        scan = start_scan(call.work, request.merge)
        return _scan(queries.get_scan(call.work.reader, call.principal, scan.id))

    def get_duplicate_scan(self, request: rpc.GetDuplicateScanRequest, call: Call) -> rpc.DuplicateScan:
        scan_id = parse_id(request.id, "id")
        row = queries.get_scan(self._app.reader, call.principal, scan_id)
        if row is None:
            raise ScanNotFound(id=scan_id)
        return _scan(row)

    def list_duplicate_pairs(
        self, request: rpc.ListDuplicatePairsRequest, call: Call
    ) -> rpc.ListDuplicatePairsResponse:
        size = page_size(request.page_size)
        # A number of a later version of the contract asks for what is never found.
        decision = _DECISION_NAMES.get(request.decision, str(request.decision))
        query = ("ListDuplicatePairs", call.principal.id, decision)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = (float(cursor[0]), UUID(cursor[1]), UUID(cursor[2])) if cursor else None
        rows = queries.list_pairs(self._app.reader, call.principal, decision, after, size + 1)
        page = rows[:size]
        call.viewed("customer", sorted({i for row in page for i in (row.first_id, row.second_id)}))
        token = ""
        if len(rows) > size:
            last = page[-1]
            token = self._app.page_tokens.seal(
                query, [repr(last.score), str(last.first_id), str(last.second_id)]
            )
        pairs = [_pair(row, (Reason(**reason) for reason in row.reasons)) for row in page]
        return rpc.ListDuplicatePairsResponse(pairs=pairs, next_page_token=token)

    def dismiss_duplicate_pair(
        self, request: rpc.DismissDuplicatePairRequest, call: Call
    ) -> rpc.DuplicatePair:
        first_id = parse_id(request.first_id, "first_id")
        pair = dismiss_pair(call.work, first_id, parse_id(request.second_id, "second_id"))
        return _pair(pair, pair.reasons)


def _match(hit: Hit) -> rpc.DuplicateMatch:
    """Of a customer out of reach only that it is there, and whose."""
    decision = _DECISIONS[hit.match.decision]
    if not hit.within_reach:
        return rpc.DuplicateMatch(decision=decision, team_id=str(hit.team_id or ""))
    return rpc.DuplicateMatch(
        customer_id=str(hit.customer_id),
        decision=decision,
        score=hit.match.score,
        reasons=reasons_of(hit.match.reasons),
    )


def _pair(pair: Any, reasons: Iterable[Reason]) -> rpc.DuplicatePair:
    return rpc.DuplicatePair(
        first_id=str(pair.first_id),
        second_id=str(pair.second_id),
        decision=_DECISIONS[pair.decision],
        score=pair.score,
        reasons=reasons_of(reasons),
    )


def reasons_of(reasons: Iterable[Reason]) -> list[rpc.MatchReason]:
    """Why two customers were compared as they were."""
    return [rpc.MatchReason(**reason._asdict()) for reason in reasons]


def _scan(row: Any) -> rpc.DuplicateScan:
    return rpc.DuplicateScan(
        id=str(row.id),
        state=f"SCAN_STATE_{row.state.upper()}",
        customers_seen=row.customers_seen,
        customers_total=row.customers_total,
        pairs_same=row.pairs_same,
        pairs_possible=row.pairs_possible,
        merged=row.merged,
        create_time=row.created_at,
        end_time=row.ended_at,
    )
