"""What the customer service is asked: whose address it is, and how to reach a customer."""

from __future__ import annotations

from uuid import UUID

from crm.customer.v1 import contact_service_pb2 as pb
from kernel.rpc.channel import Peers

_GET = "crm.customer.v1.ContactService/GetContacts"
_FIND = "crm.customer.v1.ContactService/FindByAddress"


class Customers:
    """Every method raises PeerUnavailable when waiting may help, else PeerRefused."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def email_of(self, customer_id: UUID, purpose: str) -> str:
        """The first e-mail address of a customer; empty when they have none or may not be written to."""
        request = pb.GetContactsRequest(customer_ids=[str(customer_id)], purpose=purpose)
        answer: pb.GetContactsResponse = self._peers.call(_GET, request)
        reachable = [one for one in answer.contacts if not one.restricted and not one.deleted]
        return next((email for one in reachable for email in one.emails), "")

    def with_email(self, email: str) -> list[UUID]:
        """The customers who have an address."""
        answer: pb.FindByAddressResponse = self._peers.call(_FIND, pb.FindByAddressRequest(email=email))
        return [UUID(customer_id) for customer_id in answer.customer_ids]
