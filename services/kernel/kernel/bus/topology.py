"""Which exchanges, queues and bindings exist; declared by the deploy step, never by consumers.

A producer's facts go to the topic exchange `crm.<service>` under their type. Each subscription has

    <consumer>.<EventType>             work queue; what the broker gives up on goes to .dead
    <consumer>.<EventType>.retry-1s    (-10s, -1m, -10m) hold an event, then give it back to the work queue
    <consumer>.<EventType>.dead        dead letters; somebody has to look

What a consumer hands on to these goes through its own direct exchange, `crm.retry.<consumer>`, under the
queue's name, and so does what the broker gives up on. Nobody needs the right to write to the default exchange
then, by which a service could put events of anybody's into any queue.

One queue a delay: in a shared one short waits would stand behind long ones. A work queue never
dead-letters to a retry queue: the broker refuses such a cycle once the delivery limit fires.
Delivery limit, times and overflow are policies, so that they can change without new queues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kernel.bus.broker import connect

# On it every service tells what all of them tell: crm.event.v1.
SHARED_EXCHANGE = "crm.event"
# Events that several services tell, each in its own package: their queues are told apart by the producer.
SAME_NAMES = frozenset({"SubjectErased"})
# What stands after a retry queue's dot, with its wait in milliseconds; in the order they are tried.
DELAYS: Mapping[str, int] = {"1s": 1_000, "10s": 10_000, "1m": 60_000, "10m": 600_000}


@dataclass(frozen=True)
class Policy:
    """A RabbitMQ policy for queues whose name matches `pattern`; the highest priority wins alone."""

    name: str
    pattern: str
    priority: int
    definition: Mapping[str, object]


# at-least-once: the broker lets go of an expired or refused message when its next queue has it.
# It asks for reject-publish, which also tells a publisher instead of dropping when a queue is full.
_SAFE = {"dead-letter-strategy": "at-least-once", "overflow": "reject-publish"}

POLICIES: tuple[Policy, ...] = (
    Policy("crm-work", r"^[a-z]+\.[A-Za-z0-9]+$", 1, {**_SAFE, "delivery-limit": 20}),
    *(
        Policy(f"crm-retry-{delay}", rf"\.retry-{delay}$", 2, {**_SAFE, "message-ttl": milliseconds})
        for delay, milliseconds in DELAYS.items()
    ),
)


@dataclass(frozen=True)
class Subscription:
    """A service hears one type of event with one handler ("customer.apply_orders")."""

    consumer: str
    event_type: str
    handler: str

    @property
    def producer(self) -> str:
        """The service that tells it: the second part of "crm.sales.v1.OrdersRecorded"."""
        return self.event_type.split(".")[1]

    def told_by_owner(self, source: str) -> bool:
        """Whether the source of an envelope is the service whose event it is; of what every service tells
        (crm.event) each is."""
        return self.producer == "event" or source.rpartition("/")[2] == self.producer

    @property
    def queue(self) -> str:
        name = self.event_type.rsplit(".", 1)[1]
        return f"{self.consumer}.{self.producer.capitalize() if name in SAME_NAMES else ''}{name}"

    @property
    def retry_exchange(self) -> str:
        """By which its queues are reached under their names."""
        return retry_exchange(self.consumer)

    @property
    def dead_queue(self) -> str:
        return f"{self.queue}.dead"

    def retry_queue(self, delay: str) -> str:
        return f"{self.queue}.retry-{delay}"


@dataclass(frozen=True)
class QueuePlan:
    """One queue, bound under its name to its service's `retry_exchange`. `dead_letters_to` names the queue
    for what it gives up; the other binding is for work queues."""

    name: str
    retry_exchange: str
    dead_letters_to: str | None = None
    exchange: str | None = None
    routing_key: str | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """Only what a policy can't say, or what must never change."""
        arguments = {"x-queue-type": "quorum"}
        if self.dead_letters_to:
            arguments["x-dead-letter-exchange"] = self.retry_exchange
            arguments["x-dead-letter-routing-key"] = self.dead_letters_to
        return arguments


def exchange_name(service: str) -> str:
    return f"crm.{service}"


def retry_exchange(service: str) -> str:
    return f"crm.retry.{service}"


def exchange_of(event_type: str, service: str) -> str:
    """Where `service` tells an event: on its own exchange, or on that of what every service tells."""
    return SHARED_EXCHANGE if event_type.startswith("crm.event.") else exchange_name(service)


def queues(subscriptions: Iterable[Subscription]) -> Iterator[QueuePlan]:
    """The queues of the subscriptions; those that others dead-letter to come first."""
    for subscription in subscriptions:
        through = subscription.retry_exchange
        yield QueuePlan(subscription.dead_queue, through)
        yield QueuePlan(
            subscription.queue,
            through,
            dead_letters_to=subscription.dead_queue,
            exchange=exchange_name(subscription.producer),
            routing_key=subscription.event_type,
        )
        for delay in DELAYS:
            yield QueuePlan(subscription.retry_queue(delay), through, dead_letters_to=subscription.queue)


def check(subscriptions: Iterable[Subscription]) -> None:
    """Raises ValueError when two subscriptions would share a queue and steal each other's events."""
    shared = [name for name, times in Counter(s.queue for s in subscriptions).items() if times > 1]
    if shared:
        raise ValueError(f"one handler hears an event and calls what it must: {', '.join(shared)}")


def declare(amqp_url: str, service: str, subscriptions: Iterable[Subscription]) -> None:
    """Makes what is missing; what exists stays as it is. Services may declare in any order. Needs a user who
    may configure, read and write all of it: the deploy step's, not the services' own.

    Raises one of BROKER_ERRORS when the broker can't be reached or refuses.
    """
    wanted = list(subscriptions)
    check(wanted)
    exchanges = {exchange_name(service), SHARED_EXCHANGE} | {exchange_name(s.producer) for s in wanted}
    with connect(amqp_url) as connection:
        channel = connection.channel()
        for name in sorted(exchanges):
            channel.exchange_declare(name, type="topic", durable=True, auto_delete=False)
        channel.exchange_declare(retry_exchange(service), type="direct", durable=True, auto_delete=False)
        for plan in queues(wanted):
            channel.queue_declare(plan.name, durable=True, auto_delete=False, arguments=plan.arguments)
            channel.queue_bind(plan.name, plan.retry_exchange, plan.name)
            if plan.exchange:
                channel.queue_bind(plan.name, plan.exchange, plan.routing_key)
