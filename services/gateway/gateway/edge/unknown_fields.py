"""JSON bodies hold only what their methods know; the transcoder would leave the rest out without a word."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import resources

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.edge.catalogue import PublicMethod
from gateway.edge.description.contracts import Contracts, rules
from gateway.edge.description.schemas import RAW, WELL_KNOWN
from gateway.edge.files import Json, typed
from gateway.edge.replies import INVALID_REQUEST, UNKNOWN_FIELD, flat

FILTER = "envoy.filters.http.lua"
_NO_FIELDS = 0
_VARIABLE = re.compile(r"\{[^}]*\}")


def http_filter(contracts: Contracts, methods: Sequence[PublicMethod]) -> Json:
    """The filter; it stands between the one that holds a request until it is whole and the transcoder."""
    script = resources.files("gateway.edge").joinpath("unknown_fields.lua").read_text("utf-8")
    return {
        "name": FILTER,
        "typed_config": typed(
            "extensions.filters.http.lua.v3.Lua",
            default_source_code={"inline_string": f"{_Knowledge(contracts, methods).written()}\n{script}"},
        ),
    }


def off() -> Json:
    """For a route without a JSON body. What a newer client adds to a gRPC call, protobuf keeps."""
    return {FILTER: typed("extensions.filters.http.lua.v3.LuaPerRoute", disabled=True)}


class _Knowledge:
    """The addresses and the types of their bodies, as tables of Lua."""

    def __init__(self, contracts: Contracts, methods: Sequence[PublicMethod]) -> None:
        self._numbers: dict[str, int] = {}
        # By number less one; the first has no field at all, for methods without a body.
        self._types: list[dict[str, int]] = [{}]
        self._addresses: dict[str, Json] = {}
        for method in methods:
            declared = contracts.method(method)
            for rule in rules(declared):
                verb = str(rule.WhichOneof("pattern"))
                body = declared.input_type.fields_by_name.get(rule.body)
                if body is None or body.message_type is None or body.message_type.full_name != RAW:
                    kind = self._body(declared.input_type, rule.body)
                    self._note(verb.upper(), str(getattr(rule, verb)), kind)

    def written(self) -> str:
        refusals = {
            "unknown_field": json.dumps(flat(UNKNOWN_FIELD), ensure_ascii=False),
            "malformed": json.dumps(
                flat(INVALID_REQUEST) | {"message": "The body is not valid JSON."}, ensure_ascii=False
            ),
        }
        types = dict(enumerate(self._types, 1))
        tables = {"ADDRESSES": self._addresses, "TYPES": types, "REFUSALS": refusals}
        return "\n".join(f"local {name} = {_lua(table)}" for name, table in tables.items())

    def _body(self, asked: Descriptor, body: str) -> int:
        if not body:
            return 1
        return self._message(asked) if body == "*" else self._field(asked.fields_by_name[body])

    def _note(self, verb: str, address: str, kind: int) -> None:
        if "**" in address:
            raise ValueError(f"a variable of {address} stands for several parts")
        path, _, custom = _VARIABLE.sub("*", address).partition(":")
        part = self._addresses.setdefault(verb, {})
        for name in path.strip("/").split("/"):
            part = part.setdefault(name, {})
        part[f":{custom}"] = kind

    def _message(self, message: Descriptor) -> int:
        if message.full_name in WELL_KNOWN:
            return _NO_FIELDS
        if message.full_name not in self._numbers:
            fields: dict[str, int] = {}
            self._types.append(fields)
            self._numbers[message.full_name] = len(self._types)  # a message may hold itself
            for field in message.fields:
                fields[field.json_name] = fields[field.name] = self._field(field)
        return self._numbers[message.full_name]

    def _field(self, field: FieldDescriptor) -> int:
        message = field.message_type
        if message is None:
            return _NO_FIELDS
        if message.GetOptions().map_entry:
            self._types.append({"*": self._field(message.fields_by_name["value"])})
            return len(self._types)
        return self._message(message)


def _lua(value: object) -> str:
    if isinstance(value, dict):
        entries = ", ".join(f"[{_lua(key)}] = {_lua(inner)}" for key, inner in value.items())
        return f"{{ {entries} }}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # its escapes are Lua's too
    return str(value)
