"""Which program is at the other end of the connection, and what it may call for itself."""

from __future__ import annotations

from importlib import resources

import grpc
import yaml

ENVOY = "envoy"
_PREFIX = b"spiffe://crm/"


def peer_name(context: grpc.ServicerContext) -> str:
    """The name in the caller's certificate: "envoy", "sales"; empty without one."""
    for name in context.auth_context().get("x509_subject_alternative_name", ()):
        if name.startswith(_PREFIX):
            return str(name[len(_PREFIX) :].decode())
    return ""


def allowed_calls() -> dict[str, frozenset[str]]:
    """By service, the methods it may call on its own account (calls.yaml of the protos)."""
    text = resources.files("crm").joinpath("calls.yaml").read_text("utf-8")
    return {caller: frozenset(methods) for caller, methods in yaml.safe_load(text).items()}
