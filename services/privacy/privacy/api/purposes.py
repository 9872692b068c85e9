"""crm.privacy.v1.PurposeService"""

from __future__ import annotations

from typing import Any

from crm.privacy.v1 import purpose_service_pb2 as rpc
from kernel.pure.errors import Invalid, Violation
from kernel.rpc.call import Call
from privacy.domain.purposes import Basis, Purpose
from privacy.store import queries
from privacy.usecases.register_purposes import publish_notice, register_purpose
from privacy.wiring import PrivacyApp

_PREFIX = "LEGAL_BASIS_"


class PurposeServicer:
    """Purposes are the enterprise's: whoever may read them sees all."""

    def __init__(self, app: PrivacyApp) -> None:
        self._app = app

    def create_purpose(self, request: rpc.CreatePurposeRequest, call: Call) -> rpc.Purpose:
        asked = request.purpose
        register_purpose(call.work, Purpose(asked.id, asked.title_zh, asked.title_en, _basis(asked.basis)))
        [row] = [row for row in queries.list_purposes(call.work.reader) if row.id == asked.id]
        return _purpose(row)

    def list_purposes(self, request: rpc.ListPurposesRequest, call: Call) -> rpc.ListPurposesResponse:
        return rpc.ListPurposesResponse(
            purposes=[_purpose(row) for row in queries.list_purposes(self._app.reader)]
        )

    def publish_notice(self, request: rpc.PublishNoticeRequest, call: Call) -> rpc.Notice:
        asked = request.notice
        notice = publish_notice(call.work, asked.purpose_id, (asked.text_zh, asked.text_en), asked.major)
        return _notice(notice)

    def list_notices(self, request: rpc.ListNoticesRequest, call: Call) -> rpc.ListNoticesResponse:
        rows = queries.list_notices(self._app.reader, request.purpose_id)
        return rpc.ListNoticesResponse(notices=[_notice(row) for row in rows])


def _basis(number: int) -> Basis:
    try:
        return Basis(rpc.LegalBasis.Name(number).removeprefix(_PREFIX).lower())
    except ValueError:
        raise Invalid.of(
            Violation("purpose.basis", "REQUIRED", "must be a legal basis", "必须是一种合法性基础")
        ) from None


def _purpose(row: Any) -> rpc.Purpose:
    message = rpc.Purpose(
        id=row.id,
        title_zh=row.title_zh,
        title_en=row.title_en,
        basis=_PREFIX + row.basis.upper(),
    )
    message.create_time.FromDatetime(row.created_at)
    return message


def _notice(row: Any) -> rpc.Notice:
    """From a row, or from the notice just published."""
    message = rpc.Notice(
        id=str(row.id),
        purpose_id=row.purpose_id,
        version=row.version,
        major=row.version == row.major_version,
        text_zh=row.text_zh,
        text_en=row.text_en,
        sha256=row.sha256.hex(),
    )
    message.publish_time.FromDatetime(row.published_at)
    return message
