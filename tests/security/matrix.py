"""Who may call what, read from the protos: every method there is, and the answer each caller must get.

Nothing here names a method: a new one is in the matrix as soon as its proto is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from google.api import annotations_pb2
from google.protobuf import json_format

from gateway.domain.presets import PRESETS
from kernel.rpc.methods import Method, methods_of, service_descriptor
from tests.architecture import descriptors

PAST = "past the door"
UNAUTHENTICATED = "UNAUTHENTICATED"
PERMISSION_DENIED = "PERMISSION_DENIED"
UNREACHABLE = "NO_SUCH_METHOD"
_DOORS = (UNAUTHENTICATED, PERMISSION_DENIED, UNREACHABLE)
# These answers tell nothing of who may call.
_BROKEN = ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
_BESIDE = ("TOKEN_REVOKED", "RATE_LIMITED", "CALLER_NOT_ALLOWED", "INVALID_REQUEST")

# Each preset's permissions, by its id.
HELD: Mapping[str, frozenset[str]] = {
    role.id: frozenset(grant.permission for grant in role.grants) for role in PRESETS
}

# What is asked for by id does not exist, and no command is carried out: its request id is none.
_NOBODY = "01890000-0000-7000-8000-000000000000"
_NO_REQUEST_ID = "none"


@dataclass(frozen=True)
class Exposed:
    """A method and its JSON form: `verb`, `path` with {fields}, and what of the request is the body.

    All three are empty for an internal method.
    """

    method: Method
    verb: str
    path: str
    body: str

    @property
    def owner(self) -> str:
        """The service that answers: "sales"."""
        return self.method.service.split(".")[1]

    @property
    def ends_sessions(self) -> bool:
        """A command that speaks of the caller may be the last one their token is good for."""
        return self.method.signed_in and self.method.command

    def request(self) -> Any:
        """An empty one, of which nothing comes about."""
        message = self.method.request()
        if "request_id" in self.method.request.DESCRIPTOR.fields_by_name:
            message.request_id = _NO_REQUEST_ID
        return message

    def json(self) -> tuple[str, str, object]:
        """The same as verb, address and body of an HTTP call; the body is None where there is none."""
        # Versions are numbers, all else in addresses is an id.
        address = re.sub(r"\{[^}]*\}", _NOBODY, self.path.replace("{version}", "1"))
        fields = json_format.MessageToDict(self.request())
        if self.body == "*":
            return self.verb, address, fields
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        return self.verb, f"{address}?{query}" if query else address, {} if self.body else None


@cache
def every_method() -> tuple[Exposed, ...]:
    """All methods of all services."""
    found = []
    for file in descriptors.files():
        if not file.services_by_name:
            continue
        import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
        for name in file.services_by_name:
            service = service_descriptor(f"{file.package}.{name}")
            found += [
                _exposed(method, service.methods_by_name[method.name]) for method in methods_of(service)
            ]
    return tuple(found)


def permissions() -> list[str]:
    """Every permission that a method asks for."""
    return sorted({exposed.method.permission for exposed in every_method()} - {""})


def declared(exposed: Exposed, held: Collection[str] | None) -> str:
    """How a caller with these permissions must be answered through the gateway; None: without a token."""
    method = exposed.method
    if method.internal:
        return UNREACHABLE
    if method.anyone:
        return PAST
    if held is None:
        return UNAUTHENTICATED
    return PAST if method.signed_in or method.permission in held else PERMISSION_DENIED


def verdict(code: str, reason: str) -> str:
    """What an answer with this gRPC code ("OK", "NOT_FOUND") and reason says of the door.

    A service's own refusals have other reasons: to sign in with a wrong password is past the door.
    """
    if reason in _DOORS:
        return reason
    return f"{code} {reason}" if code in _BROKEN or reason in _BESIDE else PAST


def _exposed(method: Method, descriptor: Any) -> Exposed:
    options = descriptor.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return Exposed(method, "", "", "")
    rule = options.Extensions[annotations_pb2.http]
    pattern = rule.WhichOneof("pattern")
    return Exposed(method, pattern.upper(), getattr(rule, pattern), rule.body)
