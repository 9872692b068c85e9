"""A client of an installation: gRPC and JSON through its gateway, over TLS.

It knows the public contract only. Calls carry a deadline, renew an expired token, and are sent again,
unchanged, while the installation is restarting: reads are safe to repeat, and commands carry a
request_id. Whoever calls too often waits as long as Retry-After says.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from crm.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from crm.customer.v1.duplicate_service_pb2_grpc import DuplicateServiceStub
from crm.customer.v1.export_service_pb2_grpc import ExportServiceStub
from crm.customer.v1.import_service_pb2_grpc import ImportServiceStub
from crm.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from crm.gateway.v1.auth_service_pb2 import ExchangeSecretRequest, LoginRequest, RefreshRequest
from crm.gateway.v1.auth_service_pb2_grpc import AuthServiceStub
from crm.gateway.v1.directory_service_pb2_grpc import DirectoryServiceStub
from crm.gateway.v1.identity_pb2 import Tokens
from crm.marketing.v1.campaign_service_pb2_grpc import CampaignServiceStub
from crm.privacy.v1.audit_service_pb2_grpc import AuditServiceStub
from crm.privacy.v1.consent_service_pb2_grpc import ConsentServiceStub
from crm.privacy.v1.erasure_service_pb2_grpc import ErasureServiceStub
from crm.privacy.v1.purpose_service_pb2_grpc import PurposeServiceStub
from crm.sales.v1.contract_service_pb2_grpc import ContractServiceStub
from crm.sales.v1.follow_up_service_pb2_grpc import FollowUpServiceStub
from crm.sales.v1.lead_rules_service_pb2_grpc import LeadRulesServiceStub
from crm.sales.v1.lead_service_pb2_grpc import LeadFormServiceStub, LeadServiceStub
from crm.sales.v1.opportunity_service_pb2_grpc import OpportunityServiceStub
from crm.sales.v1.order_service_pb2_grpc import OrderServiceStub
from crm.sales.v1.product_service_pb2_grpc import ProductServiceStub
from crm.ticketing.v1.rule_book_service_pb2_grpc import RuleBookServiceStub
from crm.ticketing.v1.ticket_service_pb2_grpc import TicketServiceStub

T = TypeVar("T")

# Seconds one attempt may take, and seconds within which a call is sent again after a passing failure.
DEADLINE = 30.0
PATIENCE = 180.0
# A token is renewed when it has fewer seconds left.
_RENEW_BEFORE = 60.0
_LONGEST_PAUSE = 2.0
# Seconds; whoever is told to stay away longer is told so.
_LONGEST_WAIT = 30.0

_PASSING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
}
_CHANNEL_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # each channel is a connection of its own: a client of its own
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


class Refused(Exception):
    """A call that ended with an error, for good."""

    def __init__(self, code: grpc.StatusCode, reason: str, message: str, method: str = "") -> None:
        super().__init__(f"{method or 'call'}: {code.name} {reason}: {message}")
        self.code = code
        self.reason = reason

    @classmethod
    def of(cls, error: grpc.RpcError, method: str = "") -> Refused:
        return cls(error.code(), _reason(error), error.details() or "", method)


class TimedOut(Exception):
    """What was waited for did not come about in time."""


class _NotNow(ConnectionError):
    """An answer by HTTP that asks to come again, after `wait` seconds."""

    def __init__(self, status: int, wait: float) -> None:
        super().__init__(f"HTTP {status}")
        self.wait = wait


@dataclass(frozen=True)
class JsonAnswer:
    """Status of HTTP and the decoded body; a body that is no JSON object is None. `wait` is what
    Retry-After says, in seconds.
    """

    status: int
    body: dict[str, Any] | None
    wait: float = 0.0


class Gateway:
    """The front door of an installation."""

    def __init__(self, url: str, ca_file: Path) -> None:
        """`url` as https://host:port; `ca_file` is the PEM certificate that signed the gateway's."""
        self._url = urlsplit(url)
        self._ca = ca_file.read_bytes()
        self._tls = ssl.create_default_context(cafile=str(ca_file))

    def channel(self) -> grpc.Channel:
        """A new connection for gRPC."""
        return grpc.secure_channel(self._url.netloc, grpc.ssl_channel_credentials(self._ca), _CHANNEL_OPTIONS)

    def password_account(self, login: str, password: str) -> Account:
        """A member of staff, who signs in with a password."""
        return Account(
            self, lambda auth: auth.Login(LoginRequest(login=login, password=password), timeout=DEADLINE)
        )

    def secret_account(self, client_id: str, client_secret: str) -> Account:
        """A service account."""
        request = ExchangeSecretRequest(client_id=client_id, client_secret=client_secret)
        return Account(self, lambda auth: auth.ExchangeSecret(request, timeout=DEADLINE))

    def json(self, verb: str, path: str, body: object = None, token: str | None = None) -> JsonAnswer:
        """One HTTP call; sent again while the gateway can't be reached, a service behind it is away, or it
        says that calls come too often.
        """

        def attempt() -> JsonAnswer:
            answer = self._http(verb, path, body, token)
            too_often = answer.status == 429 and answer.wait <= _LONGEST_WAIT
            if too_often or answer.status in (502, 503, 504):
                raise _NotNow(answer.status, answer.wait)
            return answer

        return _persistently(attempt, f"{verb} {path}")

    def _http(self, verb: str, path: str, body: object, token: str | None) -> JsonAnswer:
        headers = {"content-type": "application/json", "accept-language": "en"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        connection = http.client.HTTPSConnection(
            self._url.hostname or "localhost", self._url.port, timeout=DEADLINE, context=self._tls
        )
        try:
            connection.request(verb, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
            return JsonAnswer(response.status, _object(text), _seconds(response.getheader("retry-after")))
        finally:
            connection.close()


class Account:
    """Somebody who calls, with the tokens they hold now. Threads may share one."""

    def __init__(self, gateway: Gateway, sign_in: Callable[[Any], Tokens]) -> None:
        self.gateway = gateway
        self._sign_in = sign_in
        self._channel = gateway.channel()
        self._auth = AuthServiceStub(self._channel)
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._renew_at = 0.0

    def token(self) -> str:
        """An access token that is good for another while. Raises Refused when signing in is refused."""
        with self._lock:
            if self._tokens is None or time.monotonic() >= self._renew_at:
                self._tokens = self._renewed(self._tokens)
                self._renew_at = time.monotonic() + max(self._tokens.expires_in - _RENEW_BEFORE, 1.0)
            return self._tokens.access_token

    def forget(self, token: str) -> None:
        """Says that `token` was refused: the next call signs in anew."""
        with self._lock:
            if self._tokens is not None and self._tokens.access_token == token:
                self._tokens = None

    def session(self) -> Session:
        """A connection of its own that calls as this account."""
        return Session(self)

    def _renewed(self, held: Tokens | None) -> Tokens:
        if held is not None and held.refresh_token:
            # Sent once only: a refresh token that arrives twice ends its session.
            try:
                return self._auth.Refresh(RefreshRequest(refresh_token=held.refresh_token), timeout=DEADLINE)
            except grpc.RpcError:
                pass  # its answer was lost, or the session has ended: the password still works
        return _persistently(lambda: self._sign_in(self._auth), "sign in")


class Session:
    """One connection of one account: the services' methods, and `call` to call them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        channel = account.gateway.channel()
        self.auth = AuthServiceStub(channel)
        self.directory = DirectoryServiceStub(channel)
        self.customers = CustomerServiceStub(channel)
        self.duplicates = DuplicateServiceStub(channel)
        self.exports = ExportServiceStub(channel)
        self.imports = ImportServiceStub(channel)
        self.timelines = TimelineServiceStub(channel)
        self.orders = OrderServiceStub(channel)
        self.leads = LeadServiceStub(channel)
        self.opportunities = OpportunityServiceStub(channel)
        self.contracts = ContractServiceStub(channel)
        self.lead_forms = LeadFormServiceStub(channel)
        self.lead_rules = LeadRulesServiceStub(channel)
        self.follow_ups = FollowUpServiceStub(channel)
        self.products = ProductServiceStub(channel)
        self.tickets = TicketServiceStub(channel)
        self.ticket_rules = RuleBookServiceStub(channel)
        self.purposes = PurposeServiceStub(channel)
        self.consents = ConsentServiceStub(channel)
        self.erasures = ErasureServiceStub(channel)
        self.audit = AuditServiceStub(channel)
        self.campaigns = CampaignServiceStub(channel)

    def call(self, method: Any, request: Any, deadline: float = DEADLINE) -> Any:
        """The answer of `method` to `request`. Raises Refused when it is an error that waiting can't mend."""
        name = type(request).__name__.removesuffix("Request")
        token = self.account.token()
        try:
            return self._attempts(method, request, deadline, name, token)
        except Refused as refused:
            if refused.code is not grpc.StatusCode.UNAUTHENTICATED:
                raise
            self.account.forget(token)
        return self._attempts(method, request, deadline, name, self.account.token())

    def _attempts(self, method: Any, request: Any, deadline: float, name: str, token: str) -> Any:
        metadata = (("authorization", f"Bearer {token}"), ("accept-language", "en"))
        return _persistently(lambda: method(request, timeout=deadline, metadata=metadata), name)


def wait_until(
    check: Callable[[], T | None], seconds: float, pause: float = 0.2, longest: float | None = None
) -> T:
    """The first answer of `check` that is not None; asked after pauses of so many seconds, which double up to
    the `longest`. Raises TimedOut after `seconds`."""
    give_up = time.monotonic() + seconds
    while (found := check()) is None:
        if time.monotonic() >= give_up:
            raise TimedOut(f"not within {seconds:g} s")
        time.sleep(pause)
        pause = max(pause, min(pause * 2, longest or pause))
    return found


def _persistently(attempt: Callable[[], T], name: str) -> T:
    """Repeats `attempt` while it fails for a passing reason, with growing pauses, for PATIENCE seconds."""
    give_up = time.monotonic() + PATIENCE
    pause = 0.1
    while True:
        try:
            return attempt()
        except grpc.RpcError as error:
            wait = max(pause, _wait_of(error))
            if not passing(error) or time.monotonic() + wait > give_up:
                raise Refused.of(error, name) from None
        except (OSError, http.client.HTTPException) as error:
            wait = max(pause, error.wait if isinstance(error, _NotNow) else 0.0)
            if time.monotonic() + wait > give_up:
                raise Refused(grpc.StatusCode.UNAVAILABLE, "UNREACHABLE", str(error), name) from None
        time.sleep(wait)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _wait_of(error: grpc.RpcError) -> float:
    """Seconds after which the caller is asked to come again; 0 when nothing is said."""
    try:
        told = dict([*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())])
    except AttributeError:
        # An error of the client's own had no answer.
        return 0.0
    return _seconds(told.get("retry-after"))


def _seconds(text: str | None) -> float:
    """A Retry-After in seconds; a date, which nothing here sends, counts as none."""
    return float(text) if text and text.isdecimal() else 0.0


def passing(error: grpc.RpcError) -> bool:
    """Whether the same call may succeed in a moment: a part restarts, is busy, or the connection broke."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.ABORTED:
        return _reason(error) != "STALE_ETAG"
    # A stream that was cut in the middle has no status of its own; grpc makes one up.
    return code in _PASSING or "RST_STREAM" in details or "Stream removed" in details


def _reason(error: grpc.RpcError) -> str:
    try:
        status = rpc_status.from_call(error)
    except (ValueError, AttributeError):
        return ""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status is not None else ():
        if detail.Unpack(info):
            return info.reason
    return ""


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        decoded = json.loads(text)
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None
