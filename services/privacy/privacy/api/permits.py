"""crm.privacy.v1.PermitService"""

from __future__ import annotations

from crm.privacy.v1 import permit_service_pb2 as rpc
from kernel.pure import permits
from kernel.pure.clock import today
from kernel.pure.ids import parse_id
from kernel.pure.permits import Permit
from kernel.pure.signing import Signer
from kernel.rpc.call import Call
from privacy import metrics
from privacy.api.translate import CHANNELS
from privacy.domain.consents import Channel
from privacy.domain.permits import key_months
from privacy.usecases.check_send import Verdict, check_send
from privacy.wiring import PrivacyApp


class PermitServicer:
    """Signs with a key a month: each process knows from the calendar which, and makes it when it is first
    needed."""

    def __init__(self, app: PrivacyApp) -> None:
        self._app = app

    def check_send(self, request: rpc.CheckSendRequest, call: Call) -> rpc.CheckSendResponse:
        subject_ids = [parse_id(text, "subject_ids") for text in request.subject_ids]
        campaign_id = parse_id(request.campaign_id, "campaign_id")
        channel = CHANNELS.get(request.channel, Channel.ALL)
        verdicts = check_send(call.work, campaign_id, request.purpose, channel, subject_ids)
        signer = self._signers()[0]
        asked = zip(request.subject_ids, verdicts, strict=True)
        return rpc.CheckSendResponse(permits=[_permit(subject_id, one, signer) for subject_id, one in asked])

    def get_permit_keys(self, request: rpc.GetPermitKeysRequest, call: Call) -> rpc.GetPermitKeysResponse:
        return rpc.GetPermitKeysResponse(
            keys=[
                rpc.PermitKey(key_id=signer.key_id, public_key=signer.public.hex())
                for signer in self._signers()
            ]
        )

    def _signers(self) -> list[Signer]:
        """The one that signs now comes first."""
        months = key_months(today(self._app.clock))
        return [Signer(self._app.keyring.service_key("permits", month), permits.PURPOSE) for month in months]


def _permit(subject_id: str, verdict: Verdict, signer: Signer) -> rpc.Permit:
    if isinstance(verdict, Permit):
        metrics.sends_checked.labels("permitted").inc()
        return rpc.Permit(subject_id=subject_id, token=permits.issue(signer, verdict))
    metrics.sends_checked.labels(verdict.lower()).inc()
    return rpc.Permit(subject_id=subject_id, refusal=verdict)
