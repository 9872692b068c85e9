"""Dead letters: to look at, to give back to their handler, or to discard with a reason.

Plain synchronous AMQP, for the `crm dlq` command. Bodies are never shown or changed; a message
keeps its id, so that the inbox still protects after a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import amqp

from kernel.bus import headers
from kernel.bus.broker import connect
from kernel.bus.publisher import Outgoing, Publisher
from kernel.ops.logs import logger

_log = logger(__name__)

_SUFFIX = ".dead"


@dataclass(frozen=True)
class DeadLetter:
    """What is known about a dead letter, without its body. `attempts`: how often it had waited."""

    message_id: str
    event_type: str
    queue: str
    handler: str
    reason: str
    detail: str
    attempts: int
    replays: int
    died_at: str


def list_dead(amqp_url: str, dead_queue: str, limit: int = 100) -> list[DeadLetter]:
    """The oldest dead letters of a queue; they stay there."""
    with connect(amqp_url) as connection:
        channel = connection.channel()
        found: list[DeadLetter] = []
        while len(found) < limit and (message := channel.basic_get(dead_queue)):
            found.append(_describe(message, dead_queue))
        # What was looked at and not acknowledged goes back to its place.
        channel.close()
    return found


def replay(amqp_url: str, dead_queue: str, message_ids: Collection[str] | None = None) -> int:
    """Gives dead letters back to their work queue, all or those named; answers how many."""
    work_queue = dead_queue.removesuffix(_SUFFIX)
    publisher = Publisher(amqp_url)

    def give_back(message: amqp.Message) -> bool:
        letter = _describe(message, dead_queue)
        copy = Outgoing(
            id=letter.message_id,
            event_type=letter.event_type,
            body=message.body,
            exchange="",
            routing_key=work_queue,
            headers={headers.REPLAYS: letter.replays + 1},
        )
        return publisher.publish([copy]).complete

    try:
        return _take(amqp_url, dead_queue, message_ids, give_back)
    finally:
        publisher.close()


def discard(amqp_url: str, dead_queue: str, message_ids: Collection[str] | None, reason: str) -> int:
    """Throws dead letters away, all or those named; each leaves a line in the log. Answers how many."""

    def throw_away(message: amqp.Message) -> bool:
        letter = _describe(message, dead_queue)
        _log.warning(
            "dead letter discarded",
            because=reason,
            event_id=letter.message_id,
            event_type=letter.event_type,
            queue=dead_queue,
            died_of=letter.reason,
        )
        return True

    return _take(amqp_url, dead_queue, message_ids, throw_away)


def _take(
    amqp_url: str,
    dead_queue: str,
    message_ids: Collection[str] | None,
    settle: Callable[[amqp.Message], bool],
) -> int:
    """Removes those messages that are wanted and that `settle` is done with; others keep their place."""
    if not dead_queue.endswith(_SUFFIX):
        raise ValueError(f"not a dead-letter queue: {dead_queue}")
    taken = 0
    with connect(amqp_url) as connection:
        channel = connection.channel()
        # As many as there are now: a replayed letter may die again meanwhile and must not go round.
        for _ in range(channel.queue_declare(dead_queue, passive=True).message_count):
            message = channel.basic_get(dead_queue)
            if message is None:
                break
            wanted = message_ids is None or message.properties.get("message_id") in message_ids
            if wanted and settle(message):
                channel.basic_ack(message.delivery_tag)
                taken += 1
        channel.close()
    return taken


def _describe(message: amqp.Message, dead_queue: str) -> DeadLetter:
    notes = message.headers or {}
    return DeadLetter(
        message_id=message.properties.get("message_id", ""),
        event_type=message.properties.get("type", ""),
        queue=dead_queue,
        handler=str(notes.get(headers.HANDLER, "")),
        reason=headers.reason(notes),
        detail=str(notes.get(headers.DETAIL, "")),
        attempts=headers.attempts(notes),
        replays=int(notes.get(headers.REPLAYS, 0)),
        died_at=str(notes.get(headers.DIED_AT, "")),
    )
