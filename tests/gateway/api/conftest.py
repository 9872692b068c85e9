"""The gateway's api, serving as in production: its own tokens, its own trust, mutual TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc
import pytest

from crm.gateway.v1.auth_service_pb2 import (
    GetRightsRequest,
    GetRightsResponse,
    GetSelfRequest,
    GetTrustRequest,
    GetTrustResponse,
    LoginRequest,
)
from crm.gateway.v1.identity_pb2 import Tokens
from gateway.api.auth import AuthServicer, TrustServicer
from gateway.api.directory import DirectoryServicer
from gateway.api.provider_tokens import ProviderTokens
from gateway.config import GatewaySettings
from gateway.domain.presets import PRESETS
from gateway.domain.users import UserDraft
from gateway.usecases.create_user import create_user
from gateway.wiring import GatewayApp
from kernel.pure.grants import Principal
from kernel.rpc.server import build
from kernel.rpc.trust import trust_of
from tests.gateway.conftest import PASSWORD, empty, quick_passwords
from tests.gateway.edge.certificates import Authority, Pair
from tests.support.api import Api, Keys, Refused
from tests.support.servers import eventually, setting
from tests.support.services import service

AUTH = "crm.gateway.v1.AuthService"
DIRECTORY = "crm.gateway.v1.DirectoryService"


@dataclass(frozen=True)
class Gateway:
    """The running api, called through Envoy's certificate; `authority` signs other callers' ones."""

    app: GatewayApp
    api: Api
    authority: Authority
    # Whose tokens are exchanged; nobody's at first.
    providers: ProviderTokens

    def call(self, method: str, request: Any, token: str = "", **metadata: str) -> Any:
        """The answer; raises Refused. Keywords are further metadata, "_" for "-"."""
        heard = {key.replace("_", "-"): value for key, value in metadata.items()}
        # Each caller comes from an address of its own unless the test says otherwise.
        heard.setdefault("x-forwarded-for", str(uuid4()))
        if token:
            heard["authorization"] = f"Bearer {token}"
        return self.api.call(method, request, None, heard)

    def refusal(self, method: str, request: Any, token: str = "", **metadata: str) -> Refused:
        """How the call is refused."""
        with pytest.raises(Refused) as refused:
            self.call(method, request, token, **metadata)
        return refused.value

    def user(self, login: str, *role_ids: str) -> str:
        """A new user with the password PASSWORD; answers the id."""
        with self.app.work(Principal.service("gateway")) as work:
            draft = UserDraft(login, login.title(), None, tuple(sorted(role_ids)))
            return str(create_user(work, self.app.passwords, draft, PASSWORD).id)

    def login(self, login: str, password: str = PASSWORD, **metadata: str) -> Tokens:
        request = LoginRequest(login=login, password=password)
        answer: Tokens = self.call(f"{AUTH}/Login", request, **metadata)
        return answer

    def as_user(self, login: str, *role_ids: str) -> str:
        """The access token of a new user."""
        self.user(login, *role_ids)
        return str(self.login(login).access_token)

    def trust(self, caller: str = "sales") -> GetTrustResponse:
        """What another service hears."""
        with channel(self.app, self.authority, self.authority.inside(caller)) as opened:
            ask = opened.unary_unary(
                "/crm.gateway.v1.TrustService/GetTrust",
                request_serializer=GetTrustRequest.SerializeToString,
                response_deserializer=GetTrustResponse.FromString,
            )
            try:
                answer: GetTrustResponse = ask(GetTrustRequest(), timeout=10)
            except grpc.RpcError as refused:
                raise Refused(refused) from None
            return answer

    def rights(self, subject_id: str, caller: str = "customer") -> GetRightsResponse:
        """What another service hears of somebody."""
        with channel(self.app, self.authority, self.authority.inside(caller)) as opened:
            ask = opened.unary_unary(
                "/crm.gateway.v1.TrustService/GetRights",
                request_serializer=GetRightsRequest.SerializeToString,
                response_deserializer=GetRightsResponse.FromString,
            )
            try:
                answer: GetRightsResponse = ask(GetRightsRequest(subject_id=subject_id), timeout=10)
            except grpc.RpcError as refused:
                raise Refused(refused) from None
            return answer

    def until_refused(self, token: str) -> Refused:
        """The refusal of a token that was just revoked, once the api has heard of it."""
        found: list[Refused] = []

        def refused() -> bool:
            try:
                self.call(f"{AUTH}/GetSelf", GetSelfRequest(), token)
            except Refused as refusal:
                found.append(refusal)
            return bool(found)

        eventually(refused, seconds=5)
        return found[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def channel(app: GatewayApp, authority: Authority, caller: Pair) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials(
        authority.file.read_bytes(), caller.key.read_bytes(), caller.cert.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", "gateway")]
    with grpc.secure_channel(app.settings.grpc_address, credentials, options) as opened:
        yield opened


def servicers(app: GatewayApp, providers: ProviderTokens) -> Mapping[str, object]:
    return {
        AUTH: AuthServicer(app, providers),
        "crm.gateway.v1.TrustService": TrustServicer(app),
        DIRECTORY: DirectoryServicer(app, providers),
    }


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    certificates = tmp_path_factory.mktemp("certificates")
    authority = Authority(certificates)
    own, envoy = authority.inside("gateway"), authority.inside("envoy")
    more = {
        "grpc_address": f"127.0.0.1:{free_port()}",
        "tls_ca": authority.file,
        "tls_cert": own.cert,
        "tls_key": own.key,
        "redis_url": setting("CRM_TEST_REDIS_URL"),
        "throttle_per_login": 5,
        "throttle_per_address": 8,
    }
    with service(GatewayApp, None, GatewaySettings, **more) as app:
        app.passwords = quick_passwords()
        with app.work(Principal.service("gateway")) as work:
            work.roles.install(PRESETS)
        trust, providers = TrustServicer(app), ProviderTokens([])
        server, _, _ = build(app, servicers(app, providers), lambda: trust_of(trust.get_trust(None, None)))
        server.start()
        with channel(app, authority, envoy) as opened:
            grpc.channel_ready_future(opened).result(timeout=10)
            yield Gateway(app, Api(opened, Keys()), authority, providers)
        server.stop(None).wait()


@pytest.fixture
def gateway(running: Gateway) -> Gateway:
    """The running api with an empty directory; signing keys stay."""
    empty(running.app, keep=("signing_keys",))
    return running


NewLogin = Callable[[], str]


@pytest.fixture
def new_login() -> NewLogin:
    """Logins that no other test has used up its attempts for."""
    return lambda: f"user-{uuid4().hex[:12]}"
