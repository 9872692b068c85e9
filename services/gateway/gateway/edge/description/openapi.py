"""The OpenAPI 3.1 document of the JSON API, made of the protos."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources

import yaml
from google.rpc import error_details_pb2, status_pb2

from gateway.edge.catalogue import PublicMethod
from gateway.edge.description.contracts import Contracts
from gateway.edge.description.limits import limits
from gateway.edge.description.operations import Operation, Operations
from gateway.edge.description.schemas import Schemas
from gateway.edge.files import Json
from gateway.edge.settings import EdgeSettings

VERSION = "v1"

_INTRODUCTION = """\
The services of this enterprise's CRM behind one address: the same methods by JSON over HTTPS and by gRPC, \
with the same rights and errors.

Sign in with `POST /v1/auth:login` (people) or `POST /v1/auth:exchangeSecret` (programs) and send \
`Authorization: Bearer <access token>` with every call. Lists are paged; a command that carries a \
`requestId` has one effect however often it is sent; `etag` protects what others changed meanwhile.

Names are lowerCamelCase, fields at their default are left out, 64-bit integers are text, instants are \
RFC 3339 in UTC, days are YYYY-MM-DD, amounts decimal text. An error is `{code, message, details}` with \
one `ErrorInfo` whose `reason` is stable; `Accept-Language` chooses the language of its sentence."""

_ANSWERS = {
    "Invalid": "The request breaks a rule, or the state forbids it: INVALID_ARGUMENT, FAILED_PRECONDITION.",
    "Unauthenticated": "No valid access token.",
    "Forbidden": "The permission is missing.",
    "NotFound": "It is not there, or not yours.",
    "Conflict": "ALREADY_EXISTS, or ABORTED: read again, try again.",
    "TooMany": "Wait as long as Retry-After says.",
    "Unavailable": "A part is away for the moment: try again, with growing pauses.",
    "Error": "Any other refusal, in the same shape.",
}


def openapi(contracts: Contracts, methods: Sequence[PublicMethod], settings: EdgeSettings) -> Json:
    """The document for these methods and this installation's limits."""
    schemas = Schemas(contracts)
    operations = Operations(contracts, schemas)
    paths = _paths([operation for method in methods for operation in operations.of_method(method)])
    schemas.components |= _errors()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CRM",
            "summary": "客户关系管理 · people and companies, orders, service and marketing in one archive",
            "version": VERSION,
            "description": _INTRODUCTION,
        },
        "servers": [{"url": "/", "description": "this installation"}],
        "tags": [
            {"name": service, "description": contracts.comment(service)}
            for service in sorted({method.service for method in methods})
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {name: _refusal(name, text) for name, text in _ANSWERS.items()},
            "securitySchemes": {
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
        "x-limits": [asdict(limit) for limit in limits(settings)],
        "x-errors": _catalogue(),
    }


def _paths(operations: Sequence[Operation]) -> Json:
    """By address. Two addresses that differ in the names of their variables only are one."""
    paths: Json = {}
    known: dict[str, str] = {}
    for operation in operations:
        path = known.setdefault(re.sub(r"\{[^}]*\}", "{}", operation.path), operation.path)
        names = re.findall(r"\{([^}]*)\}", path)
        for name, parameter in zip(names, operation.content["parameters"], strict=False):
            parameter["name"] = name
        paths.setdefault(path, {})[operation.verb] = operation.content
    return dict(sorted(paths.items()))


def _refusal(name: str, text: str) -> Json:
    retry: Json = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    return {
        "description": text,
        **({"headers": {"Retry-After": retry}} if name == "TooMany" else {}),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/google.rpc.Status"}}},
    }


def _errors() -> Json:
    """google.rpc.Status as it is written: details say their type."""
    details = [
        error_details_pb2.ErrorInfo,
        error_details_pb2.LocalizedMessage,
        error_details_pb2.BadRequest,
        error_details_pb2.RetryInfo,
    ]
    types = [f"type.googleapis.com/{detail.DESCRIPTOR.full_name}" for detail in details]
    info: Json = {
        "reason": {"type": "string", "description": "Stable, UPPER_SNAKE; all of them are in x-errors."},
        "domain": {"type": "string", "const": "crm"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    detail: Json = {
        "type": "object",
        "required": ["@type"],
        "properties": {"@type": {"type": "string", "examples": types}, **info},
        "additionalProperties": True,
    }
    return {
        status_pb2.Status.DESCRIPTOR.full_name: {
            "type": "object",
            "description": "An error (AIP-193). Exactly one detail is an ErrorInfo.",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "integer", "description": "Code of gRPC."},
                "message": {"type": "string", "description": "For developers, in English."},
                "details": {"type": "array", "items": detail},
            },
        }
    }


def _catalogue() -> list[Json]:
    """Every reason, as the contracts list them."""
    text = resources.files("crm").joinpath("errors.yaml").read_text("utf-8")
    return [{"service": owner, **error} for owner, errors in yaml.safe_load(text).items() for error in errors]
