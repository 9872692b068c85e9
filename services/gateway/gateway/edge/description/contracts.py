"""The contracts as one pool of descriptors, with what their options and comments say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.api import annotations_pb2, field_behavior_pb2, http_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FieldOptions, FileDescriptorSet, MethodOptions

from crm.options.v1 import options_pb2
from gateway.edge.catalogue import PublicMethod
from gateway.edge.description.comments import comments

# The generated stubs leave out what the options extend.
_ACCESS: Any = options_pb2.access
_PERSONAL: Any = options_pb2.personal
_BEHAVIOR: Any = field_behavior_pb2.field_behavior
_HTTP: Any = annotations_pb2.http


class Contracts:
    """Answers what is declared; nothing here knows of OpenAPI."""

    def __init__(self, files: FileDescriptorSet) -> None:
        """`files` with their source info; without it there are no comments."""
        self._pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self._pool.Add(file)
        self._event_files = [file.name for file in files.file if file.name.endswith("/events.proto")]
        self._comments = comments(files)

    def comment(self, full_name: str) -> str:
        return self._comments.get(full_name, "")

    def value_comment(self, enum: EnumDescriptor, value: str) -> str:
        return self.comment(f"{enum.full_name}.{value}")

    def method(self, method: PublicMethod) -> MethodDescriptor:
        return self._pool.FindServiceByName(method.service).methods_by_name[method.name]

    def message(self, full_name: str) -> Descriptor:
        return self._pool.FindMessageTypeByName(full_name)

    def events(self) -> Iterator[Descriptor]:
        """The outermost messages of each service's events.proto."""
        for name in sorted(self._event_files):
            yield from self._pool.FindFileByName(name).message_types_by_name.values()


def rules(method: MethodDescriptor) -> list[http_pb2.HttpRule]:
    """The addresses of a method in JSON, the main one first."""
    options = MethodOptions.FromString(method.GetOptions().SerializeToString())
    rule: http_pb2.HttpRule = options.Extensions[_HTTP]
    return [rule, *rule.additional_bindings]


def access(method: MethodDescriptor) -> options_pb2.Access:
    options = MethodOptions.FromString(method.GetOptions().SerializeToString())
    said: options_pb2.Access = options.Extensions[_ACCESS]
    return said


def personal(field: FieldDescriptor) -> options_pb2.Personal | None:
    """What the field says of the person it speaks of."""
    options = FieldOptions.FromString(field.GetOptions().SerializeToString())
    return options.Extensions[_PERSONAL] if options.HasExtension(_PERSONAL) else None


def behaviors(field: FieldDescriptor) -> set[str]:
    """ "REQUIRED", "OUTPUT_ONLY" … (AIP-203)."""
    options = FieldOptions.FromString(field.GetOptions().SerializeToString())
    return {field_behavior_pb2.FieldBehavior.Name(number) for number in options.Extensions[_BEHAVIOR]}
