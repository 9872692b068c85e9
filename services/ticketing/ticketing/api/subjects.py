"""crm.ticketing.v1.SubjectService"""

from __future__ import annotations

from crm.ticketing.v1 import subject_service_pb2 as rpc
from kernel.pure.errors import Invalid, Violation
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call
from ticketing.usecases.erase_customers import note_addresses

_MOST_IDS = 100


class SubjectServicer:
    def note_addresses(self, request: rpc.NoteAddressesRequest, call: Call) -> rpc.NoteAddressesResponse:
        if not 1 <= len(request.subject_ids) <= _MOST_IDS:
            raise Invalid.of(
                Violation("subject_ids", "COUNT", f"must be 1 to {_MOST_IDS}", f"必须有 1 到 {_MOST_IDS} 个")
            )
        ids = [parse_id(text, f"subject_ids[{i}]") for i, text in enumerate(request.subject_ids)]
        note_addresses(call.work, ids, request.emails)
        return rpc.NoteAddressesResponse()
