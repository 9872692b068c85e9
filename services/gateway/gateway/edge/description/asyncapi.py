"""The AsyncAPI 3.0 document of the events on the bus, made of the protos."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.descriptor import Descriptor

from gateway.edge.description.contracts import Contracts
from gateway.edge.description.examples import ID, Examples
from gateway.edge.description.schemas import Schemas, Way
from gateway.edge.files import Json

_ENVELOPE = "crm.event.v1.Envelope"
# The package of what every service tells, on an exchange of that name.
_SHARED = "event"
_INTRODUCTION = """\
Facts that the services tell each other over RabbitMQ: CloudEvents 1.0 in JSON, one topic exchange a \
service, the type as routing key. Delivered at least once, in no order across records: remember the ids \
handled, and apply an item only when its version is above the one you hold. No event carries personal data. \
Listen with a durable queue of your own, bound to the exchanges you need."""


def asyncapi(contracts: Contracts) -> Json:
    """The document: a channel and a message for each event."""
    schemas = Schemas(contracts)
    examples = Examples(contracts)
    events = list(contracts.events())
    tellers = sorted({_service(event) for event in events} - {_SHARED})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "CRM events", "version": "v1", "description": _INTRODUCTION},
        "defaultContentType": "application/json",
        "channels": {_key(event): _channel(contracts, event) for event in events},
        "operations": {f"tell-{_key(event)}": _operation(event) for event in events},
        "components": {
            "messages": {
                event.full_name: _message(contracts, schemas, examples, event, tellers) for event in events
            },
            "schemas": dict(sorted(schemas.components.items())),
        },
    }


def _key(event: Descriptor) -> str:
    return event.full_name.replace(".", "-")


def _service(event: Descriptor) -> str:
    return event.full_name.split(".")[1]


def _sources(event: Descriptor, tellers: Sequence[str]) -> list[str]:
    """Who may tell an event: its service, or any of those that tell events."""
    return [f"/crm/{one}" for one in (tellers if _service(event) == _SHARED else [_service(event)])]


def _channel(contracts: Contracts, event: Descriptor) -> Json:
    return {
        "address": event.full_name,
        "description": contracts.comment(event.full_name),
        "messages": {event.name: {"$ref": f"#/components/messages/{event.full_name}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": f"crm.{_service(event)}",
                    "type": "topic",
                    "durable": True,
                    "vhost": "/",
                },
                "bindingVersion": "0.3.0",
            }
        },
    }


def _operation(event: Descriptor) -> Json:
    who = "Every service" if _service(event) == _SHARED else f"The {_service(event)} service"
    return {
        "action": "send",
        "summary": f"{who} tells {event.name}.",
        "channel": {"$ref": f"#/channels/{_key(event)}"},
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}},
    }


def _message(
    contracts: Contracts, schemas: Schemas, examples: Examples, event: Descriptor, tellers: Sequence[str]
) -> Json:
    sources = _sources(event, tellers)
    envelope = schemas.object_of(contracts.message(_ENVELOPE), Way.ANSWER)
    envelope["properties"] |= {
        "specversion": {"const": "1.0"},
        "type": {"const": event.full_name},
        "source": {"enum": sources},
        "data": schemas.of_message(event, Way.ANSWER),
    }
    envelope["required"] = ["specversion", "id", "type", "source", "time", "data"]
    return {
        "name": event.full_name,
        "title": event.name,
        "summary": contracts.comment(event.full_name),
        "contentType": "application/json",
        "payload": envelope,
        "examples": [{"payload": _example(examples, event, sources[0])}],
    }


def _example(examples: Examples, event: Descriptor, source: str) -> Json:
    return {
        "specversion": "1.0",
        "id": ID,
        "type": event.full_name,
        "source": source,
        "subject": "",
        "time": "2026-03-02T01:30:00.125Z",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": examples.answer(event),
    }
