"""`crm erasures`: what was erased stays erased, also when a backup is restored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from crm.privacy.v1.erasure_service_pb2 import (
    ERASURE_STATE_CLOSED,
    GetErasureRequestRequest,
    ReapplyErasuresRequest,
)
from crm_cli.client import Gateway, Session, TimedOut, wait_until
from crm_cli.local.stack import StackInfo

# What the command ends with.
APPLIED, STILL_OPEN = 0, 1
_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds


def reapply(info: StackInfo, since: datetime, patience: float) -> int:
    """Has everything erased again that was closed since an instant, and waits up to `patience` seconds until
    all services found nothing left."""
    gateway = Gateway(info.gateway_url, Path(info.ca_file))
    session = gateway.password_account(info.admin_login, info.admin_password).session()
    ids = _reopen(session, since)
    print(f"{len(ids)} erasures are applied again")
    open_ones = set(ids)

    def closed() -> bool | None:
        for id in sorted(open_ones):
            found = session.call(session.erasures.GetErasureRequest, GetErasureRequestRequest(id=id))
            if found.state == ERASURE_STATE_CLOSED:
                open_ones.discard(id)
        return None if open_ones else True

    try:
        wait_until(closed, patience, _PAUSE, _LONGEST_PAUSE)
    except TimedOut:
        print(f"{len(open_ones)} are still open: {', '.join(sorted(open_ones)[:5])}")
        return STILL_OPEN
    print("all are closed: every service found nothing left")
    return APPLIED


def _reopen(session: Session, since: datetime) -> list[str]:
    """Ids of the requests that were opened again."""
    closed_since, closed_before = Timestamp(), Timestamp()
    closed_since.FromDatetime(since.astimezone(UTC))
    closed_before.FromDatetime(datetime.now(UTC))
    ids: list[str] = []
    while True:
        request = ReapplyErasuresRequest(
            closed_since=closed_since, closed_before=closed_before, request_id=str(uuid4())
        )
        answer = session.call(session.erasures.ReapplyErasures, request)
        ids += answer.ids
        if not answer.more:
            return ids
