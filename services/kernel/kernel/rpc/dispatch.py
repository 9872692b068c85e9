"""The door of a service: everything that happens around a servicer's method.

Identity, permission, deadline, idempotency, transaction, audit of views, errors and metrics are
applied here in this order, once, so that a servicer only translates and calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from sqlalchemy.orm.exc import StaleDataError

from kernel.ops import metrics, trace
from kernel.ops.logs import logger
from kernel.pure.errors import (
    Aborted,
    CrmError,
    DeadlineExceeded,
    Forbidden,
    StaleEtag,
    StoreUnavailable,
    Unavailable,
)
from kernel.pure.grants import ANONYMOUS, Principal
from kernel.pure.ids import parse_id
from kernel.rpc import status
from kernel.rpc.call import Call
from kernel.rpc.identity import TokenRefused, Tokens
from kernel.rpc.methods import Method
from kernel.rpc.peers import ENVOY, allowed_calls, peer_name
from kernel.rpc.reading import check_known, reader
from kernel.rpc.trust import TrustPoller
from kernel.sql.app import App
from kernel.sql.audit import ViewLog
from kernel.sql.engine import is_conflict, is_cut_off, is_unavailable
from kernel.sql.idempotency import Request

log = logger(__name__)

# A command that met another transaction is carried out again, so often.
_ATTEMPTS = 3
# Seconds below which a call would be cut off before it could answer.
TOO_LATE = 0.005


class CallerNotAllowed(Forbidden):
    reason = "CALLER_NOT_ALLOWED"
    en = "{caller} may not call {method}."
    zh = "{caller} 不允许调用 {method}。"


class Conflict(Aborted):
    reason = "CONFLICT"
    en = "Another change was made at the same time; try again."
    zh = "另一项修改正在同时进行，请重试。"


class RevocationsUnknown(Unavailable):
    reason = "REVOCATIONS_UNKNOWN"
    en = "This call is refused while it can't be checked whether your rights were revoked; try again."
    zh = "暂时无法确认您的权限是否已被撤销，请重试。"


class Dispatcher:
    """Answers calls for one service."""

    def __init__(self, app: App, poller: TrustPoller, views: ViewLog) -> None:
        self._app = app
        self._poller = poller
        self._tokens = Tokens(poller)
        self._views = views
        self._allowed = allowed_calls()

    def handler(self, method: Method, answer: Callable[[Any, Call], Any]) -> grpc.RpcMethodHandler:
        """The gRPC handler that calls `answer(request, call)` behind the door."""
        labels = (method.service, method.name)
        started, seconds = metrics.calls_started.labels(*labels), metrics.call_seconds.labels(*labels)
        doing = {"method": method.full_name}
        codes = {c.name: metrics.calls_handled.labels(*labels, c.name) for c in grpc.StatusCode}

        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            started.inc()
            began = time.perf_counter()
            heard = dict(context.invocation_metadata())
            trace.current.set(trace.continued(heard.get("traceparent")))
            trace.doing.set(doing)
            code = "OK"
            try:
                return self._answer(method, answer, request, context, heard)
            except Exception as error:
                refusal = self._refusal(error, method, status.language_of(heard.get("accept-language", "")))
                code = _CODES[refusal.code]
                status.abort(context, refusal)
            finally:
                seconds.observe(time.perf_counter() - began)
                codes[code].inc()

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=reader(method.request),
            response_serializer=method.response.SerializeToString,
        )

    def _answer(
        self,
        method: Method,
        answer: Callable[[Any, Call], Any],
        request: Any,
        context: grpc.ServicerContext,
        heard: Mapping[str, str],
    ) -> Any:
        remaining = context.time_remaining()
        if remaining is not None and remaining < TOO_LATE:
            raise DeadlineExceeded
        peer = peer_name(context)
        principal = self._admit(method, peer, heard)
        request_id = heard.get("x-request-id", "")
        trace.doing.set({"method": method.full_name, "actor": principal.id, "request": request_id})
        if isinstance(request, CrmError):
            raise request
        if method.command and peer == ENVOY:
            check_known(request)
        call = Call(
            principal=principal,
            language=status.language_of(heard.get("accept-language", "")),
            address=_address(heard),
            viewed=lambda kind, ids: self._views.note(principal, method.name, kind, ids),
        )
        if method.command:
            return self._command(method, answer, request, call)
        return answer(request, call)

    def _admit(self, method: Method, peer: str, heard: Mapping[str, str]) -> Principal:
        """Who calls, if they may call this method at all."""
        bearer = heard.get("authorization", "")
        if peer != ENVOY and method.full_name not in self._allowed.get(peer, ()):
            raise CallerNotAllowed(caller=peer or "a caller without certificate", method=method.full_name)
        if method.internal:
            if peer == ENVOY:
                raise CallerNotAllowed(caller=peer, method=method.full_name)
            return Principal.service(peer)
        if method.anyone:
            return ANONYMOUS
        if not bearer:
            if peer != ENVOY:
                return Principal.service(peer)
            raise TokenRefused
        if not bearer.startswith("Bearer "):
            raise TokenRefused
        principal = self._tokens.principal(bearer[7:])
        if method.permission:
            principal.require(method.permission)
        if method.fresh and self._poller.stale:
            raise RevocationsUnknown
        return principal

    def _command(self, method: Method, answer: Callable[[Any, Call], Any], request: Any, call: Call) -> Any:
        """Carries a command out in one transaction, once for each request id."""
        claim = _claim(method, request, call)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._attempt(method, answer, request, call, claim)
            except Exception as error:
                # With a request id even a commit whose outcome is unknown can be tried again.
                again = is_conflict(error) or (claim is not None and is_unavailable(error))
                if attempt == _ATTEMPTS or not again:
                    raise
        raise AssertionError("unreachable")

    def _attempt(
        self,
        method: Method,
        answer: Callable[[Any, Call], Any],
        request: Any,
        call: Call,
        claim: Request | None,
    ) -> Any:
        with self._app.work(call.principal) as work:
            if claim is not None:
                given = claim.claim(work, self._app.keyring.day_key)
                if given is not None:
                    metrics.replays.labels(method.service, method.name).inc()
                    return method.response.FromString(given)
            call.work = work
            response = answer(request, call)
            if getattr(request, "validate_only", False):
                work.discard()
            elif claim is not None:
                claim.answered(work, self._app.keyring.day_key, response.SerializeToString())
            return response

    def _refusal(self, error: Exception, method: Method, language: str) -> Any:
        if is_conflict(error):
            error = Conflict()
        elif is_unavailable(error):
            log.warning("store unavailable", method=method.full_name, error=type(error).__name__)
            error = StoreUnavailable()
        elif is_cut_off(error):
            error = DeadlineExceeded()
        elif isinstance(error, StaleDataError):
            error = StaleEtag()
        if isinstance(error, CrmError):
            log.info("refused", method=method.full_name, reason=error.reason, trace=trace.trace_id())
            return status.to_status(error, language)
        log.error("fault", method=method.full_name, trace=trace.trace_id(), exc_info=error)
        return status.opaque(trace.trace_id())


def _claim(method: Method, request: Any, call: Call) -> Request | None:
    request_id = getattr(request, "request_id", "")
    if not request_id or not call.principal.id:
        return None
    return Request(
        caller=f"{call.principal.kind.value}:{call.principal.id}",
        method=method.full_name,
        request_id=parse_id(request_id, "request_id"),
        body=request.SerializeToString(deterministic=True),
    )


def _address(heard: Mapping[str, str]) -> str:
    """The caller's address as Envoy believes it: its own header for outside addresses, which callers
    can't forge; for inside ones the last entry it appended to x-forwarded-for."""
    return heard.get("x-envoy-external-address") or heard.get("x-forwarded-for", "").split(",")[-1].strip()


_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
