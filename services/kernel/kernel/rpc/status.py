"""Errors on the wire: google.rpc.Status with exactly one ErrorInfo (AIP-193)."""

from __future__ import annotations

import math

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from kernel.pure.errors import CrmError

DOMAIN = "crm"
# A header for callers by HTTP, who see it as such.
_RETRY_AFTER = "retry-after"


def to_status(error: CrmError, language: str) -> Status:
    """The status of a refusal; sentences for people in `language` ("zh" or "en")."""
    details: list[object] = [
        ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata),
        LocalizedMessage(locale="zh-CN" if language == "zh" else "en", message=error.message(language)),
    ]
    if error.violations:
        details.append(
            BadRequest(
                field_violations=[
                    BadRequest.FieldViolation(
                        field=v.field, reason=v.rule, description=v.zh if language == "zh" else v.en
                    )
                    for v in error.violations
                ]
            )
        )
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after * 1000))
        details.append(RetryInfo(retry_delay=delay))
    code = Code.Value(error.kind.value)
    return Status(code=code, message=error.message("en"), details=[_pack(d) for d in details])


def opaque(trace_id: str) -> Status:
    """What a caller sees of a fault of ours: nothing but where to find it in the logs."""
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"trace_id": trace_id})
    return Status(code=Code.INTERNAL, message="Something went wrong on our side.", details=[_pack(info)])


def abort(context: grpc.ServicerContext, status: Status) -> None:
    """Ends the call with `status`, and a retry-after in whole seconds where waiting helps; never returns."""
    wait = RetryInfo()
    if any(detail.Unpack(wait) for detail in status.details):
        seconds = math.ceil(wait.retry_delay.seconds + wait.retry_delay.nanos / 1e9)
        context.send_initial_metadata(((_RETRY_AFTER, str(seconds)),))
    context.abort_with_status(rpc_status.to_status(status))


def language_of(header: str) -> str:
    """ "en" when an Accept-Language header prefers English over Chinese, else "zh"."""
    for part in header.lower().split(","):
        tag = part.split(";")[0].strip()
        if tag.startswith(("zh", "en")):
            return tag[:2]
    return "zh"


def _pack(message: object) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)  # type: ignore[arg-type]
    return packed
