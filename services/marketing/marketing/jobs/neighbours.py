"""The other services, as sending needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from crm.customer.v1 import audience_service_pb2, contact_service_pb2
from crm.privacy.v1 import permit_service_pb2
from kernel.pure.ids import parse_id
from kernel.rpc.channel import Peers
from marketing.domain.campaign import Campaign
from marketing.usecases.ports import Contact, Leave

_PAGE = 500


class GrpcNeighbours:
    """Every call raises PeerUnavailable when the service is away, and PeerRefused when it refuses."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def members(self, group_id: UUID, after: str) -> tuple[list[UUID], str]:
        """A page of a group's members and the cursor of the next one, "" after the last."""
        request = audience_service_pb2.ListMembersRequest(
            group_id=str(group_id), page_size=_PAGE, page_token=after
        )
        answer = self._peers.call("crm.customer.v1.AudienceService/ListMembers", request)
        return [parse_id(text, "customer_ids") for text in answer.customer_ids], answer.next_page_token

    def contacts(self, customer_ids: Sequence[UUID]) -> Mapping[UUID, Contact]:
        request = contact_service_pb2.GetContactsRequest(
            customer_ids=[str(one) for one in customer_ids], purpose="campaign"
        )
        answer = self._peers.call("crm.customer.v1.ContactService/GetContacts", request)
        return {
            UUID(found.customer_id): Contact(
                found.full_name, list(found.emails), found.restricted or found.deleted
            )
            for found in answer.contacts
        }

    def leave_to_send(self, campaign: Campaign, customer_ids: Sequence[UUID]) -> Mapping[UUID, Leave]:
        request = permit_service_pb2.CheckSendRequest(
            campaign_id=str(campaign.id),
            purpose=campaign.purpose,
            channel=f"CHANNEL_{campaign.channel.name}",
            subject_ids=[str(one) for one in customer_ids],
        )
        answer = self._peers.call("crm.privacy.v1.PermitService/CheckSend", request)
        return {UUID(given.subject_id): Leave(given.token, given.refusal) for given in answer.permits}

    def permit_keys(self) -> Mapping[str, bytes]:
        """The public keys that permits are verified with, by key id."""
        request = permit_service_pb2.GetPermitKeysRequest()
        answer = self._peers.call("crm.privacy.v1.PermitService/GetPermitKeys", request)
        return {key.key_id: bytes.fromhex(key.public_key) for key in answer.keys}
