"""The customer service, asked while a caller waits."""

from __future__ import annotations

from uuid import UUID

from crm.customer.v1.intake_service_pb2 import ResolvePersonRequest
from kernel.pure.ids import parse_id
from kernel.rpc.channel import Peers
from sales.domain.lead import LeadDraft

_METHOD = "crm.customer.v1.IntakeService/ResolvePerson"
_PATIENCE = 4.0


class CustomerService:
    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def resolve(self, request_id: UUID, draft: LeadDraft, owner_id: UUID | None) -> UUID:
        """The id of the customer of `draft.contact`. Raises PeerUnavailable, PeerRefused."""
        request = ResolvePersonRequest(
            request_id=str(request_id), owner_id=str(owner_id or ""), **draft.intake()
        )
        answer = self._peers.call(_METHOD, request, timeout=_PATIENCE)
        return parse_id(answer.customer_id, "customer_id")
