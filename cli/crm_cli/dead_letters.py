"""`crm dlq`: dead letters of the whole installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from rich.table import Table

from crm_cli.local.report import make_console
from crm_cli.local.stack import StackInfo
from kernel.bus import deadletters
from kernel.bus.deadletters import DeadLetter
from kernel.bus.gauges import count_messages


def list_dead(info: StackInfo, queue: str | None, limit: int) -> list[DeadLetter]:
    """The oldest dead letters, of one work queue or of all."""
    url = info.server("rabbitmq").url
    return [letter for name in _queues(info, queue) for letter in deadletters.list_dead(url, name, limit)]


def replay(info: StackInfo, queue: str | None, ids: list[str]) -> int:
    """Gives dead letters back to their handlers, all or those named; how many."""
    url = info.server("rabbitmq").url
    return sum(deadletters.replay(url, name, ids or None) for name in _queues(info, queue))


def discard(info: StackInfo, queue: str | None, ids: list[str], reason: str) -> int:
    """Throws dead letters away, all or those named; how many."""
    url = info.server("rabbitmq").url
    return sum(deadletters.discard(url, name, ids or None, reason) for name in _queues(info, queue))


def show(letters: list[DeadLetter]) -> None:
    """One line a letter: ids, why and when; bodies are not shown."""
    table = Table(box=None, pad_edge=False)
    columns = ("died_at", "queue", "event_type", "message_id", "reason", "detail", "attempts", "replays")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for letter in letters:
        facts = asdict(letter)
        table.add_row(*(str(facts[column]) for column in columns))
    make_console().print(table if letters else "no dead letters")


def _queues(info: StackInfo, queue: str | None) -> Iterator[str]:
    """Names of the dead-letter queues that hold something."""
    work = [queue.removesuffix(".dead")] if queue else info.queues
    counts = count_messages(info.server("rabbitmq").url, [f"{name}.dead" for name in work])
    return (name for name, count in counts.items() if count)
