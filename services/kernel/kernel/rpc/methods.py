"""Methods as their protos declare them: who may call, whether they change anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from crm.options.v1 import options_pb2

_CHOICES = ("permission", "anyone", "signed_in", "internal")


@dataclass(frozen=True)
class Method:
    """One RPC. Exactly one of permission, anyone, signed_in and internal is set."""

    service: str
    name: str
    request: type[Any]
    response: type[Any]
    # Changes something: gets a unit of work and honours request_id.
    command: bool
    permission: str
    anyone: str
    signed_in: bool
    internal: bool
    fresh: bool

    @property
    def full_name(self) -> str:
        """ "crm.sales.v1.OrderService/GetOrder"."""
        return f"{self.service}/{self.name}"

    @property
    def python_name(self) -> str:
        """The servicer's method: "get_order"."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in self.name).lstrip("_")


def methods_of(service: ServiceDescriptor) -> Iterator[Method]:
    """The methods of a service. Raises ValueError for one that does not say who may call it."""
    for method in service.methods:
        yield _method(service, method)


def service_descriptor(full_name: str) -> ServiceDescriptor:
    """The descriptor of an imported service, by its full name."""
    return descriptor_pool.Default().FindServiceByName(full_name)


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    options = method.GetOptions()
    access: options_pb2.Access = options.Extensions[options_pb2.access]  # type: ignore[index]
    chosen = [choice for choice in _CHOICES if getattr(access, choice)]
    if len(chosen) != 1:
        raise ValueError(
            f"{method.full_name} must say exactly one of {', '.join(_CHOICES)}; it says {chosen}"
        )
    return Method(
        service=service.full_name,
        name=method.name,
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        command=options.idempotency_level != MethodOptions.NO_SIDE_EFFECTS,
        permission=access.permission,
        anyone=access.anyone,
        signed_in=access.signed_in,
        internal=access.internal,
        fresh=access.fresh,
    )
