"""Errors on the wire: google.rpc.Status with exactly one ErrorInfo (AIP-193)."""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2, duration_pb2
from grpc_status import rpc_status

from google.rpc import code_pb2, error_details_pb2, status_pb2
from kernel.pure.errors import CrmError

DOMAIN = "crm"


def to_status(error: CrmError, language: str) -> status_pb2.Status:
    """The status of a refusal; sentences for people in `language` ("zh" or "en")."""
    details: list[object] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata),
        error_details_pb2.LocalizedMessage(
            locale="zh-CN" if language == "zh" else "en", message=error.message(language)
        ),
    ]
    if error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=v.field, reason=v.rule, description=v.zh if language == "zh" else v.en
                    )
                    for v in error.violations
                ]
            )
        )
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    code: int = getattr(code_pb2, error.kind.value)
    return status_pb2.Status(code=code, message=error.message("en"), details=[_pack(d) for d in details])


def opaque(trace_id: str) -> status_pb2.Status:
    """What a caller sees of a fault of ours: nothing but where to find it in the logs."""
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"trace_id": trace_id})
    return status_pb2.Status(
        code=code_pb2.INTERNAL, message="Something went wrong on our side.", details=[_pack(info)]
    )


def abort(context: grpc.ServicerContext, status: status_pb2.Status) -> None:
    """Ends the call with `status`; never returns."""
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
