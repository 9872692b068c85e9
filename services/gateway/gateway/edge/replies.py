"""Envoy's own refusals, in the shape of the services' errors.

A JSON caller gets {code, message, details}; a gRPC caller gets the same google.rpc.Status in
grpc-status-details-bin. The reasons are constant: what Envoy knows of its insides stays inside.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from gateway.edge import health
from gateway.edge.files import Json, typed

DOMAIN = "crm"


@dataclass(frozen=True)
class Refusal:
    """One way to be refused: HTTP status, gRPC code, stable reason, sentences for people."""

    http: int
    code: code_pb2.Code
    reason: str
    en: str
    zh: str
    # The field that is to blame; whoever refuses puts its path for "{field}".
    field: str = ""
    # Seconds to wait, when waiting helps.
    wait: int = 0

    def status(self) -> status_pb2.Status:
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN)
        details: list[Message] = [
            info,
            error_details_pb2.LocalizedMessage(locale="zh-CN", message=self.zh),
        ]
        if self.field:
            info.metadata["field"] = self.field
            blamed = error_details_pb2.BadRequest.FieldViolation(
                field=self.field, reason=self.reason, description=self.en
            )
            details.append(error_details_pb2.BadRequest(field_violations=[blamed]))
        if self.wait:
            delay = duration_pb2.Duration(seconds=self.wait)
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        return status_pb2.Status(
            code=self.code, message=self.en, details=[_packed(detail) for detail in details]
        )


UNAUTHENTICATED = Refusal(
    401,
    code_pb2.UNAUTHENTICATED,
    "UNAUTHENTICATED",
    "Sign in first: the call needs a valid access token.",
    "请先登录：调用需要有效的访问令牌。",
)
PERMISSION_DENIED = Refusal(
    403,
    code_pb2.PERMISSION_DENIED,
    "PERMISSION_DENIED",
    "You lack the permission for this call.",
    "您没有执行此调用的权限。",
)
NO_SUCH_METHOD = Refusal(
    404,
    code_pb2.UNIMPLEMENTED,
    "NO_SUCH_METHOD",
    "There is no such method at this address.",
    "该地址没有此方法。",
)
INVALID_REQUEST = Refusal(
    400,
    code_pb2.INVALID_ARGUMENT,
    "INVALID_REQUEST",
    "The request can't be read as the method's request message.",
    "无法按该方法的请求格式解析此请求。",
)
UNKNOWN_FIELD = Refusal(
    400,
    code_pb2.INVALID_ARGUMENT,
    "UNKNOWN_FIELD",
    "The method does not know the field {field}.",
    "该方法没有字段 {field}。",
    field="{field}",
)
BODY_TOO_LARGE = Refusal(
    413,
    code_pb2.RESOURCE_EXHAUSTED,
    "BODY_TOO_LARGE",
    "The body is too large: 1 MiB at most, 4 MiB for batch methods.",
    "请求体过大：最多 1 MiB，批量方法最多 4 MiB。",
)
HEADERS_TOO_LARGE = Refusal(
    431, code_pb2.RESOURCE_EXHAUSTED, "HEADERS_TOO_LARGE", "The headers are too large.", "请求头过大。"
)
RATE_LIMITED = Refusal(
    429,
    code_pb2.RESOURCE_EXHAUSTED,
    "RATE_LIMITED",
    "Too many calls; wait as long as Retry-After says.",
    "调用过于频繁，请按 Retry-After 等待后再试。",
    wait=1,
)
DEADLINE_EXCEEDED = Refusal(
    504,
    code_pb2.DEADLINE_EXCEEDED,
    "DEADLINE_EXCEEDED",
    "The call took longer than its deadline allows.",
    "调用超过了截止时间。",
)
UNAVAILABLE = Refusal(
    503,
    code_pb2.UNAVAILABLE,
    "UNAVAILABLE",
    "The service can't be reached; try again.",
    "服务暂时无法访问，请重试。",
    wait=1,
)
UNWELL = Refusal(
    503,
    code_pb2.UNAVAILABLE,
    "UNHEALTHY",
    "A service has no healthy server; /healthz/<service> tells which.",
    "有服务没有健康的服务器；/healthz/<service> 会指出是哪一个。",
    wait=1,
)
INTERNAL = Refusal(
    500, code_pb2.INTERNAL, "INTERNAL", "Something went wrong on our side.", "我们这边出现了问题。"
)

REFUSALS = (
    UNAUTHENTICATED,
    PERMISSION_DENIED,
    NO_SUCH_METHOD,
    INVALID_REQUEST,
    UNKNOWN_FIELD,
    BODY_TOO_LARGE,
    HEADERS_TOO_LARGE,
    RATE_LIMITED,
    DEADLINE_EXCEEDED,
    UNAVAILABLE,
    UNWELL,
    INTERNAL,
)


def local_replies() -> Json:
    """What Envoy says in its own name; the first mapper that fits is taken."""
    exact = (PERMISSION_DENIED, NO_SUCH_METHOD, BODY_TOO_LARGE, RATE_LIMITED, HEADERS_TOO_LARGE)
    mappers = [
        _as_written(_because("lua_response"), UNKNOWN_FIELD.http),
        _as_json(_all(_on_health_path(), _status("EQ", 200)), 200, {"status": "SERVING"}),
        *_mappers(_all(_on_health_path(), _status("EQ", 503)), UNWELL),
        # Envoy calls a token for another audience forbidden.
        *_mappers(_any(_status("EQ", 401), _because("jwt_authn_access_denied")), UNAUTHENTICATED),
        *(mapper for refusal in exact for mapper in _mappers(_status("EQ", refusal.http), refusal)),
        *_mappers(_any(_status("EQ", 408), _status("EQ", 504)), DEADLINE_EXCEEDED),
        *_mappers(_any(_status("EQ", 502), _status("EQ", 503)), UNAVAILABLE),
        *_mappers(_status("GE", 500), INTERNAL),
        # The transcoder says which field it can't read; only the caller, who sent it, hears that.
        _as_json(
            _because("grpc_json_transcode_failure"),
            INVALID_REQUEST.http,
            flat(INVALID_REQUEST) | {"message": "%LOCAL_REPLY_BODY%"},
        ),
        *_mappers(_status("GE", 400), INVALID_REQUEST),
    ]
    return {"mappers": mappers}


def _mappers(when: Json, refusal: Refusal) -> list[Json]:
    """The same refusal for both kinds of callers."""
    by_json = _as_json(_all(when, _FROM_JSON), refusal.http, flat(refusal))
    return [by_json | _to_add(_wait(refusal)), _as_grpc(when, refusal)]


def flat(refusal: Refusal) -> Json:
    """The body that the transcoder makes of the same status."""
    return json_format.MessageToDict(refusal.status())


def _as_json(when: Json, status: int, body: Json) -> Json:
    return {
        "filter": when,
        "status_code": status,
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    }


def _as_written(when: Json, status: int) -> Json:
    """Whoever refuses has written the whole answer."""
    whole = {
        "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
        "content_type": "application/json",
    }
    return {"filter": when, "status_code": status, "body_format_override": whole}


def _as_grpc(when: Json, refusal: Refusal) -> Json:
    details = b64encode(refusal.status().SerializeToString(deterministic=True)).decode().rstrip("=")
    return {
        "filter": when,
        "body": {"inline_string": refusal.en},
        "body_format_override": {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}},
        **_to_add(
            [
                _set("grpc-status", str(refusal.code)),
                _set("grpc-status-details-bin", details),
                *_wait(refusal),
            ]
        ),
    }


def _wait(refusal: Refusal) -> list[Json]:
    """The header that says when to come back."""
    return [_set("retry-after", str(refusal.wait))] if refusal.wait else []


def _to_add(headers: list[Json]) -> Json:
    return {"headers_to_add": headers} if headers else {}


# The transcoder makes gRPC of a JSON call, and leaves this trace; callers can't bring it themselves.
_FROM_JSON: Json = {
    "or_filter": {
        "filters": [
            {
                "header_filter": {
                    "header": {
                        "name": "content-type",
                        "string_match": {"prefix": "application/grpc"},
                        "invert_match": True,
                        "treat_missing_header_as_empty": True,
                    }
                }
            },
            {"header_filter": {"header": {"name": "x-envoy-original-path", "present_match": True}}},
        ]
    }
}


def _because(detail: str) -> Json:
    """Envoy's own words for what happened contain `detail`. They serve to choose, and are never shown."""
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": typed(
                "extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                expression=f"response.code_details.contains('{detail}')",
            ),
        }
    }


def _on_health_path() -> Json:
    return {"header_filter": {"header": {"name": ":path", "string_match": {"prefix": health.PATH}}}}


def _status(op: str, code: int) -> Json:
    value = {"default_value": code, "runtime_key": "crm.replies.unused"}
    return {"status_code_filter": {"comparison": {"op": op, "value": value}}}


def _all(*filters: Json) -> Json:
    return {"and_filter": {"filters": list(filters)}}


def _any(*filters: Json) -> Json:
    return {"or_filter": {"filters": list(filters)}}


def _set(name: str, value: str) -> Json:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
