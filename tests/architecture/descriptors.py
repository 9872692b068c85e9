"""The contracts as the build made them: every service, method, message and field of the crm packages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor

from crm.options.v1 import options_pb2
from tests.architecture.house import ROOT

# The stubs of extensions don't say what they extend.
ACCESS: Any = options_pb2.access
PERSONAL: Any = options_pb2.personal
HTTP: Any = annotations_pb2.http
BUILT = ROOT / "protos/python/crm/descriptors.binpb"


@cache
def files() -> tuple[FileDescriptor, ...]:
    """The files of ours, in a pool of their own: google's are only what ours import."""
    pool = descriptor_pool.DescriptorPool()
    built = descriptor_pb2.FileDescriptorSet.FromString(BUILT.read_bytes())
    for file in built.file:
        pool.Add(file)
    return tuple(pool.FindFileByName(file.name) for file in built.file if file.name.startswith("crm/"))


def methods() -> Iterator[MethodDescriptor]:
    for file in files():
        for service in file.services_by_name.values():
            yield from service.methods


def access(method: MethodDescriptor) -> options_pb2.Access | None:
    """What the method says of its callers; None when it says nothing."""
    options = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())
    said: options_pb2.Access | None = options.Extensions[ACCESS] if options.HasExtension(ACCESS) else None
    return said


def route(method: MethodDescriptor) -> http_pb2.HttpRule | None:
    """Its path in the JSON API; None when it has none."""
    options = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())
    return options.Extensions[HTTP] if options.HasExtension(HTTP) else None


def personal(field: FieldDescriptor) -> options_pb2.Personal | None:
    """What the field says of the person it speaks of; None when it says nothing."""
    options = descriptor_pb2.FieldOptions.FromString(field.GetOptions().SerializeToString())
    said: options_pb2.Personal | None = (
        options.Extensions[PERSONAL] if options.HasExtension(PERSONAL) else None
    )
    return said


def messages() -> Iterator[Descriptor]:
    """Every message of ours, nested ones too."""
    pending = [message for file in files() for message in file.message_types_by_name.values()]
    while pending:
        message = pending.pop()
        if not message.GetOptions().map_entry:
            yield message
        pending.extend(message.nested_types)


def events() -> dict[str, Descriptor]:
    """The events by full name: the outermost messages of each events.proto."""
    return {
        message.full_name: message
        for file in files()
        if file.name.endswith("/events.proto")
        for message in file.message_types_by_name.values()
    }


def reachable(message: Descriptor) -> Iterator[FieldDescriptor]:
    """The fields of a message and of the messages in it."""
    for field in message.fields:
        yield field
        if field.message_type is not None and field.message_type.full_name.startswith("crm."):
            yield from reachable(field.message_type)


def message_class(message: Descriptor) -> type:
    """A Python class for a message of these files."""
    return message_factory.GetMessageClass(message)
