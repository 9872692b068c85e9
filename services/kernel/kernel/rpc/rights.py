"""What somebody may do now, for work that goes on after the call that asked for it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from crm.gateway.v1.auth_service_pb2 import GetRightsRequest
from kernel.ops.settings import Settings
from kernel.pure.grants import Principal, Scope
from kernel.rpc.channel import Peers

_METHOD = "crm.gateway.v1.TrustService/GetRights"


class RightsOfNow:
    """Asks the gateway; the asking service must be allowed to (calls.yaml)."""

    def __init__(self, settings: Settings) -> None:
        self._peers = Peers(settings)

    def __call__(self, principal: Principal) -> Principal:
        """The principal with the grants, team and customer of now: none when it is disabled or not known. A
        service is as it was. Raises PeerUnavailable.
        """
        if principal.user_id is None:
            return principal
        answer = self._peers.call(_METHOD, GetRightsRequest(subject_id=principal.id))
        return replace(
            principal,
            grants={grant.permission: Scope(grant.scope) for grant in answer.grants},
            team_id=UUID(answer.team_id) if answer.team_id else None,
            customer_id=UUID(answer.customer_id) if answer.customer_id else None,
        )
