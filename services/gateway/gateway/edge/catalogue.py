"""The public methods, as the protos declare them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto, MethodOptions

from crm.options.v1 import options_pb2

_CHOICES = ("permission", "anyone", "signed_in", "internal")
# The generated stub leaves out what the option extends.
_ACCESS: Any = options_pb2.access
_REPEATABLE = (MethodOptions.NO_SIDE_EFFECTS, MethodOptions.IDEMPOTENT)


@dataclass(frozen=True)
class PublicMethod:
    """A method that callers from outside may reach. One of permission, anyone and signed_in is set."""

    # "customer": the service of ours that answers, and its cluster.
    owner: str
    # "crm.customer.v1.CustomerService" and "GetCustomer".
    service: str
    name: str
    permission: str
    anyone: bool
    signed_in: bool
    # Sending it twice has the effect of sending it once.
    repeatable: bool
    streaming: bool
    # Of google.api.http: "/v1/customers/{id}:view".
    address: str
    # Its largest request body in KiB, as its access option says; 0 for the usual limit.
    largest_body_kib: int = 0

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    @property
    def batch(self) -> bool:
        """Carries many items, hence a larger body."""
        return self.name.startswith("Batch") or self.name.endswith("Batch")


def descriptors() -> FileDescriptorSet:
    """The descriptor set built with the protos."""
    return FileDescriptorSet.FromString(resources.files("crm").joinpath("descriptors.binpb").read_bytes())


def without_comments(files: FileDescriptorSet) -> FileDescriptorSet:
    """As programs need it."""
    bare = FileDescriptorSet()
    bare.CopyFrom(files)
    for file in bare.file:
        file.ClearField("source_code_info")
    return bare


def public_methods(files: FileDescriptorSet) -> list[PublicMethod]:
    """Every method with google.api.http that is not internal, sorted by path.

    Raises ValueError for a method that does not say who may call it, and for an internal one with a
    public address.
    """
    return sorted(_public(files), key=lambda method: method.path)


def _public(files: FileDescriptorSet) -> Iterator[PublicMethod]:
    for file in files.file:
        for service in file.service:
            for method in service.method:
                full_name = f"{file.package}.{service.name}"
                access = _access(full_name, method)
                has_address = method.options.HasExtension(annotations_pb2.http)
                if access.internal and has_address:
                    raise ValueError(f"{full_name}/{method.name} is internal but has a public address")
                if has_address:
                    yield PublicMethod(
                        owner=file.package.split(".")[1],
                        service=full_name,
                        name=method.name,
                        permission=access.permission,
                        anyone=bool(access.anyone),
                        signed_in=access.signed_in,
                        repeatable=method.options.idempotency_level in _REPEATABLE,
                        streaming=method.server_streaming or method.client_streaming,
                        address=_address(method),
                        largest_body_kib=access.largest_body_kib,
                    )


def _access(service: str, method: MethodDescriptorProto) -> options_pb2.Access:
    access: options_pb2.Access = method.options.Extensions[_ACCESS]
    chosen = [choice for choice in _CHOICES if getattr(access, choice)]
    if len(chosen) != 1:
        raise ValueError(
            f"{service}/{method.name} must say exactly one of {', '.join(_CHOICES)}; it says {chosen}"
        )
    return access


def _address(method: MethodDescriptorProto) -> str:
    rule = method.options.Extensions[annotations_pb2.http]
    return str(getattr(rule, rule.WhichOneof("pattern")))
