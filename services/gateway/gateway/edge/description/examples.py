"""Example values: what a comment quotes, else what the name and the type suggest."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.edge.description.contracts import Contracts, behaviors

ID = "0198c0de-7a00-7000-8000-000000000001"
_QUOTED = re.compile(r"'([^']{2,80})'|\"([^\"]{1,60})\"")
_DAY = "2026-03-01"
_WELL_KNOWN: dict[str, Any] = {
    "google.protobuf.Timestamp": f"{_DAY}T01:30:00Z",
    "google.protobuf.Duration": "3600s",
    "google.protobuf.FieldMask": "",
    "google.protobuf.Empty": {},
    "google.protobuf.Struct": {},
    "google.api.HttpBody": {"contentType": "text/plain", "data": "5a6i5oi3"},
}
_BY_NAME = {
    "request_id": "6f1c7a52-9d1e-4f7b-8a3e-2b6f0c9d4e11",
    "full_name": "王小明",
    "display_name": "李娜",
    "phones": "+8613812345678",
    "phone": "+8613812345678",
    "emails": "wang@example.com",
    "email": "wang@example.com",
    "birth_date": "1990-05-17",
    "password": "correct horse battery staple",
    "reason": "the customer asked for it",
    "street_address": "南京西路100号",
    "identity_number": "310101199005170012",
    "industry": "零售",
    "province": "上海",
    "city": "上海",
    "tags": "vip",
    "page_size": 50,
}
# What an example does better without: it belongs to one state of one record, or changes what the call does.
_LEFT_OUT = {"etag", "page_token", "version", "as_of"}
_DEEPEST = 4
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}


class Examples:
    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts

    def request(self, message: Descriptor) -> Any:
        """What one might send: no field that only the server fills."""
        return self._message(message, sent=True, depth=0)

    def answer(self, message: Descriptor) -> Any:
        """What might come back."""
        return self._message(message, sent=False, depth=0)

    def _message(self, message: Descriptor, sent: bool, depth: int) -> Any:
        if message.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[message.full_name]
        values: dict[str, Any] = {}
        chosen: set[str] = set()
        for field in message.fields:
            choice = field.containing_oneof
            if (choice is not None and choice.name in chosen) or self._skipped(field, sent, depth):
                continue
            value = self._field(field, sent, depth)
            if value in ("", [], {}, None) and "REQUIRED" not in behaviors(field):
                continue
            values[field.json_name] = value
            if choice is not None:
                chosen.add(choice.name)
        return values

    def _skipped(self, field: FieldDescriptor, sent: bool, depth: int) -> bool:
        said = behaviors(field)
        if sent and "OUTPUT_ONLY" in said:
            return True
        if "REQUIRED" in said:
            return False
        if sent and (field.name in _LEFT_OUT or field.cpp_type == FieldDescriptor.CPPTYPE_BOOL):
            return True
        return depth >= _DEEPEST and field.message_type is not None

    def _field(self, field: FieldDescriptor, sent: bool, depth: int) -> Any:
        entry = field.message_type
        if field.is_repeated and entry is not None and entry.GetOptions().map_entry:
            key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
            return {str(self._single(key, sent, depth)): self._single(value, sent, depth)}
        one = self._single(field, sent, depth)
        return [one] if field.is_repeated else one

    def _single(self, field: FieldDescriptor, sent: bool, depth: int) -> Any:
        if field.message_type is not None:
            return self._message(field.message_type, sent, depth + 1)
        if field.enum_type is not None:
            return next((value.name for value in field.enum_type.values if value.number), "")
        if field.name in _BY_NAME:
            return _BY_NAME[field.name]
        if field.cpp_type in _INTEGERS:
            wide = field.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
            return "1" if wide else 1
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return True
        if field.type == FieldDescriptor.TYPE_BYTES:
            return "5a6i5oi3"
        if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
            return 0.5
        return self._text(field)

    def _text(self, field: FieldDescriptor) -> str:
        comment = self._contracts.comment(field.full_name)
        quoted = _QUOTED.search(comment)
        if quoted is not None:
            return quoted[1] or quoted[2]
        if field.name == "id" or field.name.endswith(("_id", "_ids")):
            return ID
        if "YYYY-MM-DD" in comment or field.name.endswith("_on"):
            return _DAY
        return field.name.replace("_", " ")
