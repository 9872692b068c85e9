"""Messages as JSON Schema: exactly what the transcoder reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from crm.options.v1 import options_pb2
from gateway.edge.description.contracts import Contracts, behaviors, personal
from gateway.edge.files import Json


class Way(Enum):
    """What a message is for. The value is added to its name, so that each form has a schema of its own."""

    # Fields at their default are left out, and a newer server may add some.
    ANSWER = ""
    # Required fields are there, fields of the server's own are not.
    INPUT = "Input"
    # The same, of which any part may be missing.
    PATCH = "Patch"


_INT32: Json = {"type": "integer", "format": "int32"}
_UINT32: Json = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_INT64: Json = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_DOUBLE: Json = {"type": "number", "format": "double"}
_SCALARS: dict[int, Json] = {
    FieldDescriptor.TYPE_DOUBLE: _DOUBLE,
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT64: _INT64,
    FieldDescriptor.TYPE_FIXED64: _INT64,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_ANYTHING: Json = {"type": "object", "additionalProperties": True}
# Messages that JSON writes in another form than their fields.
WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {
        "type": "string",
        "description": "Names of fields, separated by commas.",
    },
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Struct": _ANYTHING,
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Any": {**_ANYTHING, "required": ["@type"], "properties": {"@type": {"type": "string"}}},
    "google.protobuf.StringValue": {"type": "string"},
    "google.protobuf.BoolValue": {"type": "boolean"},
    "google.protobuf.Int32Value": _INT32,
    "google.protobuf.UInt32Value": _UINT32,
    "google.protobuf.Int64Value": _INT64,
    "google.protobuf.UInt64Value": _INT64,
    "google.protobuf.DoubleValue": _DOUBLE,
    "google.protobuf.FloatValue": _SCALARS[FieldDescriptor.TYPE_FLOAT],
    "google.protobuf.BytesValue": _SCALARS[FieldDescriptor.TYPE_BYTES],
}


# A body of another kind than JSON, passed on as it is: a form, a page, a picture.
RAW = "google.api.HttpBody"


class Schemas:
    """Makes schemas of messages on demand and keeps them as `components`."""

    def __init__(self, contracts: Contracts, prefix: str = "#/components/schemas/") -> None:
        self.components: dict[str, Json] = {}
        self._contracts = contracts
        self._prefix = prefix

    def of_message(self, message: Descriptor, way: Way) -> Json:
        """A reference to the schema of a message, or what stands for a well-known one."""
        if message.full_name in WELL_KNOWN:
            return dict(WELL_KNOWN[message.full_name])
        # A request is only ever sent.
        suffix = "" if message.name.endswith("Request") else way.value
        return self._reference(f"{message.full_name}{suffix}", lambda: self.object_of(message, way))

    def object_of(self, message: Descriptor, way: Way, without: frozenset[str] = frozenset()) -> Json:
        """The schema itself, leaving out the fields named (as in the proto)."""
        sent = way is not Way.ANSWER
        fields = [
            field
            for field in message.fields
            if field.name not in without and not (sent and "OUTPUT_ONLY" in behaviors(field))
        ]
        schema: Json = {
            "type": "object",
            **_described(self._contracts.comment(message.full_name)),
            "properties": {field.json_name: self.of_field(field, way) for field in fields},
        }
        required = [field.json_name for field in fields if "REQUIRED" in behaviors(field)]
        if way is Way.INPUT and required:
            schema["required"] = required
        if sent:
            schema["additionalProperties"] = False
        choices = [_at_most_one(choice) for choice in message.oneofs if len(choice.fields) > 1]
        if choices:
            schema["allOf"] = choices
        return schema

    def of_field(self, field: FieldDescriptor, way: Way) -> Json:
        """The schema of a field with its comment and what its options say."""
        schema = self._repeated(field, way) if field.is_repeated else self._single(field, way)
        said = behaviors(field)
        return {
            **schema,
            **_described(self._contracts.comment(field.full_name) or schema.get("description", "")),
            **({"readOnly": True} if "OUTPUT_ONLY" in said else {}),
            **_personal(field),
        }

    def _repeated(self, field: FieldDescriptor, way: Way) -> Json:
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            value = self.of_field(entry.fields_by_name["value"], way)
            return {"type": "object", "additionalProperties": value}
        return {"type": "array", "items": self._single(field, way)}

    def _single(self, field: FieldDescriptor, way: Way) -> Json:
        if field.enum_type is not None:
            enum = field.enum_type
            return self._reference(enum.full_name, lambda: self._enum(enum))
        if field.message_type is not None:
            # Below the part that is changed, everything may be missing too.
            return self.of_message(field.message_type, way)
        return dict(_SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> Json:
        """The values by name. The first means "not said", which JSON says by leaving the field out."""
        names = [value.name for value in enum.values if not value.name.endswith("_UNSPECIFIED")]
        meanings = {name: self._contracts.value_comment(enum, name) for name in names}
        said = {name: meaning for name, meaning in meanings.items() if meaning}
        return {
            "type": "string",
            "enum": names,
            **_described(self._contracts.comment(enum.full_name)),
            **({"x-meanings": said} if said else {}),
        }

    def _reference(self, name: str, make: Callable[[], Json]) -> Json:
        if name not in self.components:
            self.components[name] = {}  # a message may hold itself
            self.components[name] = make()
        return {"$ref": f"{self._prefix}{name}"}


def _at_most_one(choice: OneofDescriptor) -> Json:
    """None of the fields of a oneof, or exactly one."""
    alone = [{"required": [field.json_name]} for field in choice.fields]
    return {"oneOf": [{"not": {"anyOf": alone}}, *alone]}


def _personal(field: FieldDescriptor) -> Json:
    said = personal(field)
    if said is None:
        return {}
    return {
        "x-personal": {
            "category": _short(options_pb2.Category.Name(said.category), "CATEGORY_"),
            "sensitivity": _short(options_pb2.Sensitivity.Name(said.sensitivity), "SENSITIVITY_"),
            "mask": _short(options_pb2.Mask.Name(said.mask), "MASK_"),
        }
    }


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()


def _described(text: str) -> Json:
    return {"description": text} if text else {}
