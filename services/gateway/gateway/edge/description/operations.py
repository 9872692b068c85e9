"""Methods as OpenAPI's operations: address, parameters, body, answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from google.api import http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from crm.options.v1 import options_pb2
from gateway.edge import bodies
from gateway.edge.catalogue import PublicMethod
from gateway.edge.description.contracts import Contracts, access, behaviors, rules
from gateway.edge.description.examples import Examples
from gateway.edge.description.schemas import RAW, WELL_KNOWN, Schemas, Way
from gateway.edge.files import Json

_VARIABLE = re.compile(r"\{([^}=]+)(?:=[^}]*)?\}")
_ANY_KIND: Json = {"*/*": {"schema": {"description": "Of the kind that Content-Type names."}}}


class Operation(NamedTuple):
    path: str
    verb: str
    content: Json


class Operations:
    """Makes operations; the schemas they need gather in `schemas`."""

    def __init__(self, contracts: Contracts, schemas: Schemas) -> None:
        self._contracts = contracts
        self._schemas = schemas
        self._examples = Examples(contracts)

    def of_method(self, method: PublicMethod) -> Iterator[Operation]:
        """One operation an address of the method."""
        declared = self._contracts.method(method)
        for number, rule in enumerate(rules(declared)):
            verb = str(rule.WhichOneof("pattern"))
            address = str(getattr(rule, verb))
            bound = _VARIABLE.findall(address)
            content = self._content(method, declared, rule, bound, verb)
            if number:
                content["operationId"] += f"_{number + 1}"
            yield Operation(_VARIABLE.sub(lambda found: f"{{{_name(found[1])}}}", address), verb, content)

    def _content(
        self,
        method: PublicMethod,
        declared: MethodDescriptor,
        rule: http_pb2.HttpRule,
        bound: list[str],
        verb: str,
    ) -> Json:
        asked = declared.input_type
        said = access(declared)
        body = self._body(asked, rule.body, bound, verb)
        return {
            "operationId": f"{method.service.rpartition('.')[2]}_{method.name}",
            "tags": [method.service],
            "summary": _summary(self._contracts.comment(declared.full_name), method.name),
            "description": self._contracts.comment(declared.full_name),
            "parameters": [*self._in_path(asked, bound), *self._in_query(asked, rule.body, bound)],
            **({"requestBody": body} if body else {}),
            "responses": {"200": self._answer(declared, method.streaming), **_refusals(method)},
            "security": [] if method.anyone else [{"accessToken": []}],
            "x-grpc": f"{method.service}/{method.name}",
            "x-proto": declared.containing_service.file.name,
            "x-request-example": self._examples.request(asked),
            "x-repeatable": method.repeatable,
            "x-largest-body": bodies.largest(method),
            **_rights(said),
        }

    def _in_path(self, asked: Descriptor, bound: list[str]) -> Iterator[Json]:
        for path in bound:
            field = _follow(asked, path)
            schema = self._schemas.of_field(field, Way.ANSWER)
            schema.pop("readOnly", None)
            yield {"name": _name(path), "in": "path", "required": True, "schema": schema | {"minLength": 1}}

    def _in_query(self, asked: Descriptor, body: str, bound: list[str]) -> Iterator[Json]:
        """Every field that stands neither in the path nor in the body, those of messages in it too."""
        if body == "*":
            return
        for field in asked.fields:
            if field.name != body and field.name not in bound:
                yield from self._parameters(field, "", frozenset())

    def _parameters(self, field: FieldDescriptor, before: str, seen: frozenset[str]) -> Iterator[Json]:
        name = f"{before}{field.json_name}"
        message = field.message_type
        if message is None or message.full_name in WELL_KNOWN:
            schema = self._schemas.of_field(field, Way.INPUT)
            required = not before and "REQUIRED" in behaviors(field)
            yield {"name": name, "in": "query", "required": required, "schema": schema}
        elif not field.is_repeated and message.full_name not in seen:
            for inner in message.fields:
                yield from self._parameters(inner, f"{name}.", seen | {message.full_name})

    def _body(self, asked: Descriptor, body: str, bound: list[str], verb: str) -> Json:
        if not body:
            return {}
        way = Way.PATCH if verb == "patch" else Way.INPUT
        if body == "*":
            schema = self._whole(asked, way, frozenset(bound))
            example = self._examples.request(asked)
            for name in bound:
                example.pop(asked.fields_by_name[name].json_name, None)
        else:
            part = asked.fields_by_name[body].message_type
            assert part is not None, f"the body of {asked.full_name} is a message"
            if part.full_name == RAW:
                return {"content": dict(_ANY_KIND)}
            schema, example = self._schemas.of_message(part, way), self._examples.request(part)
        media = {"schema": schema, "example": example}
        return {"required": True, "content": {"application/json": media}}

    def _whole(self, asked: Descriptor, way: Way, bound: frozenset[str]) -> Json:
        """The request without what stands in the path."""
        if not bound:
            return self._schemas.of_message(asked, way)
        return self._schemas.object_of(asked, way, without=bound)

    def _answer(self, declared: MethodDescriptor, streaming: bool) -> Json:
        answered = declared.output_type
        described = self._contracts.comment(answered.full_name) or "What was asked for."
        media = {
            "schema": self._schemas.of_message(answered, Way.ANSWER),
            "example": self._examples.answer(answered),
        }
        if answered.full_name == RAW:
            return {"description": "What stands there.", "content": dict(_ANY_KIND)}
        if streaming:
            described += " A stream: one such object a line."
        return {"description": described, "content": {"application/json": media}}


def _refusals(method: PublicMethod) -> Json:
    """What every caller must be ready for; `default` stands for the rest."""
    named = {"400": "Invalid", "404": "NotFound", "409": "Conflict", "429": "TooMany", "503": "Unavailable"}
    if not method.anyone:
        named |= {"401": "Unauthenticated", "403": "Forbidden"}
    answers = {status: {"$ref": f"#/components/responses/{name}"} for status, name in sorted(named.items())}
    return {**answers, "default": {"$ref": "#/components/responses/Error"}}


def _rights(said: options_pb2.Access) -> Json:
    rights: Json = {}
    if said.permission:
        rights["x-permission"] = said.permission
    if said.signed_in:
        rights["x-permission"] = "signed in"
    if said.anyone:
        rights["x-guard"] = said.anyone
    if said.fresh:
        rights["x-fresh"] = True
    return rights


def _summary(comment: str, name: str) -> str:
    """The comment's first sentence, else the method's name in words."""
    sentence = re.split(r"(?<=[.。]) |\n|: ", comment, maxsplit=1)[0].rstrip(".:")
    return sentence or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _follow(message: Descriptor, path: str) -> FieldDescriptor:
    *outer, last = path.split(".")
    for name in outer:
        inner = message.fields_by_name[name].message_type
        assert inner is not None, f"{name} of {message.full_name} holds {last}"
        message = inner
    return message.fields_by_name[last]


def _name(path: str) -> str:
    """ "user.id" and "id" are the same place of an address."""
    first, *more = path.rpartition(".")[2].split("_")
    return first + "".join(word.capitalize() for word in more)
