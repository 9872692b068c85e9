"""Callers from outside, by JSON and by gRPC."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

_PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    """What an HTTP caller gets; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Of the one ErrorInfo."""
        return _reason(json_format.ParseDict(self.json, status_pb2.Status()))


@dataclass(frozen=True)
class JsonCaller:
    port: int
    authority: Path

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call on a connection of its own; `body` is sent as JSON unless it is bytes."""
        connection = self.connect()
        try:
            return self.call_on(connection, method, path, token=token, body=body, headers=headers)
        finally:
            connection.close()

    def connect(self, newest: ssl.TLSVersion | None = None) -> HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.authority))
        if newest:
            context.maximum_version = newest
        return HTTPSConnection("127.0.0.1", self.port, timeout=_PATIENCE, context=context)

    def call_on(
        self,
        connection: HTTPSConnection,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"accept": "application/json", **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


@dataclass(frozen=True)
class Outcome:
    """How a gRPC call ended."""

    code: grpc.StatusCode
    message: str
    status: status_pb2.Status
    trailers: dict[str, str | bytes]
    answer: bytes

    @property
    def reason(self) -> str:
        """Of the one ErrorInfo; the status in the details says what the call says."""
        assert (self.status.code, self.status.message) == (self.code.value[0], self.message)
        return _reason(self.status)


def _reason(status: status_pb2.Status) -> str:
    infos = [detail for detail in status.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    assert len(infos) == 1
    info = error_details_pb2.ErrorInfo.FromString(infos[0].value)
    assert info.domain == "crm"
    return str(info.reason)


class GrpcCaller:
    def __init__(self, port: int, authority: Path) -> None:
        credentials = grpc.ssl_channel_credentials(authority.read_bytes())
        self.channel = grpc.secure_channel(f"127.0.0.1:{port}", credentials, [("grpc.enable_retries", 0)])

    def call(
        self,
        path: str,
        request: Any = b"",
        *,
        token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Outcome:
        """One unary call of a method by its path; the request is a message or its bytes."""
        method = self.channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        sent = list((metadata or {}).items())
        if token is not None:
            sent.append(("authorization", f"Bearer {token}"))
        content = request if isinstance(request, bytes) else request.SerializeToString()
        try:
            answer, call = method.with_call(content, metadata=sent, timeout=timeout)
        except grpc.RpcError as error:
            answer, call = b"", error
        trailers = dict(call.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
        return Outcome(call.code(), call.details(), status, trailers, answer)
