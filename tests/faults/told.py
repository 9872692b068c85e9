"""What the services told each other, written down by the databases themselves while faults are done.

Triggers in every service's database note each row that enters and leaves the outbox, and each version of a
projection that goes backwards. They belong to the installation under test, not to the product.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import amqp
import psycopg

from crm_cli.local.layout import SERVICES
from kernel.bus.broker import connect
from kernel.bus.deadletters import list_dead
from kernel.bus.publisher import Outgoing, Publisher
from kernel.bus.topology import exchange_of
from tests.system.behind import Behind

_NOTES = """
create schema faults;
create table faults.told (
    id uuid primary key, type text not null, body text not null,
    at timestamptz not null default clock_timestamp(), left_at timestamptz
);
create table faults.backwards (place text not null, key text not null);
create function faults.note_told() returns trigger language plpgsql security definer as $$
begin
    insert into faults.told (id, type, body) select id, type, body from written;
    return null;
end $$;
create function faults.note_left() returns trigger language plpgsql security definer as $$
begin
    update faults.told set left_at = clock_timestamp() from gone where told.id = gone.id;
    return null;
end $$;
create function faults.note_backwards() returns trigger language plpgsql security definer as $$
begin
    insert into faults.backwards values (tg_table_name, new::text);
    return null;
end $$;
create trigger faults_told after insert on app.outbox
    referencing new table as written for each statement execute function faults.note_told();
create trigger faults_left after delete on app.outbox
    referencing old table as gone for each statement execute function faults.note_left();
"""
_WATCH = """
create trigger faults_backwards after update on app.{table}
    for each row when (new.version < old.version) execute function faults.note_backwards()
"""
# What each service copies from others, with the version of its owner.
_PROJECTIONS = {
    "customer": ("orders", "staff", "teams"),
    "sales": ("customers", "links", "staff", "teams"),
    "ticketing": ("customers", "classes", "links", "staff", "teams"),
    "marketing": ("staff", "teams"),
    "privacy": ("persons", "links", "staff", "teams"),
}
# Longest time, in seconds, between two deliveries that a dead letter may be listed within.
_MOST_DEAD = 10_000


@dataclass(frozen=True)
class Told:
    """An event as it entered the outbox of `service`, and when it left it for the broker."""

    id: UUID
    service: str
    type: str
    body: str
    at: datetime
    left_at: datetime | None

    @property
    def name(self) -> str:
        """Without its package: "OrdersRecorded"."""
        return self.type.rpartition(".")[2]

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


@dataclass(frozen=True)
class Hearing:
    """A handler, and the queue it hears."""

    service: str
    handler: str
    queue: str


class Ledger:
    """Everything told since `begin`."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        for service in SERVICES:
            with psycopg.connect(behind.url(service)) as connection:
                connection.execute(_NOTES)
                for table in _PROJECTIONS.get(service, ()):
                    connection.execute(_WATCH.format(table=table))

    def begin(self) -> None:
        """Forgets what was told before. Nothing may be under way."""
        for service in SERVICES:
            with psycopg.connect(self._behind.url(service)) as connection:
                connection.execute("truncate faults.told, faults.backwards")

    def told(self) -> list[Told]:
        columns = "select id, type, body, at, left_at from faults.told order by at"
        return [
            Told(row[0], service, *row[1:])
            for service in SERVICES
            for row in self._behind.rows(service, columns)
        ]

    def hearings(self) -> Mapping[str, list[Hearing]]:
        """Who hears each type of event, as every service said when it was deployed."""
        heard: dict[str, list[Hearing]] = {}
        for service in SERVICES:
            file = Path(self._behind.stack.folder, "logs", f"{service}.events-topology.log")
            for one in json.loads(file.read_text("utf-8"))["subscriptions"]:
                heard.setdefault(one["event"], []).append(Hearing(service, one["handler"], one["queue"]))
        return heard

    def taken(self) -> Counter[tuple[str, UUID]]:
        """Handler and id of every event that has an inbox row."""
        found: Counter[tuple[str, UUID]] = Counter()
        for service in SERVICES:
            found.update(self._behind.rows(service, "select handler, event_id from app.inbox"))
        return found

    def dead(self) -> Counter[tuple[str, UUID]]:
        """Handler and id of every dead letter."""
        handler_of = {one.queue: one.handler for all in self.hearings().values() for one in all}
        url = self._behind.stack.server("rabbitmq").url
        return Counter(
            (handler_of[queue], UUID(letter.message_id))
            for queue in self._behind.dead_letters()
            for letter in list_dead(url, f"{queue}.dead", _MOST_DEAD)
        )

    def backwards(self) -> Iterator[str]:
        """Rows of projections whose version fell."""
        for service in SERVICES:
            for place, key in self._behind.rows(service, "select place, key from faults.backwards"):
                yield f"{service}.{place} {key[:60]}"

    def tell_again(self, told: list[Told]) -> None:
        """Publishes events a second time, as a relay does that died before it could note the confirm."""
        publisher = Publisher(self._behind.stack.server("rabbitmq").url)
        try:
            for one in told:
                exchange = exchange_of(one.type, one.service)
                copy = Outgoing(str(one.id), one.type, one.body, exchange, one.type)
                publisher.publish([copy])
        finally:
            publisher.close()

    def throw_dead_away(self) -> None:
        """Empties the dead-letter queues."""
        with connect(self._behind.stack.server("rabbitmq").url) as connection:
            channel: amqp.Channel = connection.channel()
            for queue in self._behind.stack.queues:
                channel.queue_purge(f"{queue}.dead")
            channel.close()
