"""crm.marketing.v1.SubjectService"""

from __future__ import annotations

from crm.marketing.v1 import subject_service_pb2 as rpc
from kernel.rpc.call import Call
from marketing.usecases.suppress_addresses import suppress_erased


class SubjectServicer:
    def note_addresses(self, request: rpc.NoteAddressesRequest, call: Call) -> rpc.NoteAddressesResponse:
        suppress_erased(call.work, request.emails)
        return rpc.NoteAddressesResponse()
