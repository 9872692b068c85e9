"""`crm status`: every part of an installation, what is unwell and why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
from rich.table import Table

from crm_cli.local import mailbox, postgres, rabbitmq, redis_server, waiting
from crm_cli.local.program import Probe
from crm_cli.local.report import make_console
from crm_cli.local.stack import NoStack, ProcessInfo, ServiceInfo, StackInfo
from kernel.bus.broker import BROKER_ERRORS
from kernel.bus.gauges import count_messages

# An outbox this old means that the relay or the broker stands still; timers are promised within 5 s.
_OUTBOX_LIMIT, _TIMER_LIMIT = 10.0, 10.0  # seconds

_WORK = """
select (select count(*) from app.outbox),
       (select coalesce(extract(epoch from now() - min(recorded_at)), 0)::float8 from app.outbox),
       (select count(*) from app.timers where due_at <= now()),
       (select coalesce(extract(epoch from now() - min(due_at)), 0)::float8
        from app.timers where due_at <= now())
"""


@dataclass(frozen=True)
class Part:
    """One line of the table. `reason` says what is unwell; empty when well."""

    group: str  # process, database, keyring, queue, gateway
    name: str
    reason: str
    facts: dict[str, Any]

    @property
    def well(self) -> bool:
        return not self.reason


def status(name: str, as_json: bool, wait: float) -> int:
    """Prints the state, after waiting at most `wait` seconds for all to be well. 0 = well, 1 = not.

    An installation that nobody has started yet is waited for, too. Raises NoStack when there is none then.
    """
    deadline = time.monotonic() + wait
    while True:
        late = time.monotonic() >= deadline
        try:
            info = StackInfo.load(name)
        except NoStack:
            if late:
                raise
        else:
            parts = collect(info)
            if late or all(part.well for part in parts):
                break
        time.sleep(0.5)
    well = all(part.well for part in parts)
    if as_json:
        lines = [{**asdict(part), "well": part.well} for part in parts]
        print(json.dumps({"stack": name, "phase": info.phase, "well": well, "parts": lines}, indent=1))
    else:
        _print(info, parts)
    return 0 if well else 1


def collect(info: StackInfo) -> list[Part]:
    """Asks every part at the same time."""
    questions: list[Callable[[], list[Part]]] = [partial(_process, info, one) for one in info.processes]
    questions += [partial(_named_server, info, server.name) for server in info.servers if not server.private]
    for service in info.services:
        questions.append(partial(_keyring, service))
        if info.phase != "servers":  # where nothing is migrated
            questions.append(partial(_database, service))
    if info.queues:
        questions.append(partial(_queues, info))
    if info.phase == "ready":
        questions.append(partial(_gateway, info))
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(lambda ask: ask(), questions))
    parts = [part for answer in answers for part in answer]
    if not info.processes or info.supervisor_pid is None or not psutil.pid_exists(info.supervisor_pid):
        parts.insert(0, Part("process", "supervisor", "not running; `make run` starts it", {}))
    elif info.phase == "starting":
        parts.insert(0, Part("process", "supervisor", "still starting the installation", {}))
    return parts


def probe_of(info: StackInfo, process: ProcessInfo) -> Probe | None:
    """How to ask a process whether it is ready; None when being alive is all there is to know."""
    if process.name == "envoy":
        return partial(waiting.answers, f"http://{process.ops}/ready")
    if process.ops:
        return partial(waiting.ready_over_http, process.ops)
    return server_probe(info, process.name)


def server_probe(info: StackInfo, name: str) -> Probe | None:
    asks = {"rabbitmq": rabbitmq.ask, "redis": redis_server.ask, "mailbox": mailbox.ask}
    ask = asks.get(name, postgres.ask)
    return next((partial(ask, server.url) for server in info.servers if server.name == name), None)


def _process(info: StackInfo, process: ProcessInfo) -> list[Part]:
    facts: dict[str, Any] = {"pid": process.pid, "restarts": process.restarts}
    if process.pid is None or not psutil.pid_exists(process.pid):
        reason = f"down ({process.last_exit})" if process.last_exit else "down"
        return [Part("process", process.name, f"{reason}; see {process.log}", facts)]
    facts["memory_mb"] = _memory(process.pid)
    probe = probe_of(info, process)
    reason = (probe() if probe else None) or ""
    return [Part("process", process.name, reason, facts)]


def _memory(pid: int) -> int:
    """Megabytes of a process and its children, shared pages divided among those who share them."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                total += one.memory_full_info().pss
    except psutil.Error:
        return 0
    return round(total / 1_000_000)


def _named_server(info: StackInfo, name: str) -> list[Part]:
    probe = server_probe(info, name)
    return [Part("server", name, (probe() if probe else None) or "", {})]


def _database(service: ServiceInfo) -> list[Part]:
    try:
        with psycopg.connect(service.database_url, connect_timeout=3) as connection:
            row = connection.execute(_WORK).fetchone()
    except psycopg.Error as error:
        return [Part("database", service.name, _first_line(error), {})]
    pending, age, due, late = row or (0, 0.0, 0, 0.0)
    facts = {
        "outbox": pending,
        "outbox_age_s": round(age, 1),
        "timers_due": due,
        "timers_late_s": round(late, 1),
    }
    reasons = []
    if age > _OUTBOX_LIMIT:
        reasons.append(f"{pending} events wait in the outbox since {age:.0f} s")
    if late > _TIMER_LIMIT:
        reasons.append(f"{due} timers are due since {late:.0f} s")
    return [Part("database", service.name, "; ".join(reasons), facts)]


def _keyring(service: ServiceInfo) -> list[Part]:
    return [Part("keyring", service.name, postgres.ask(service.keyring_url) or "", {})]


def _queues(info: StackInfo) -> list[Part]:
    """A line for each work queue: what waits, what waits for a retry, what is dead."""
    suffixes = ("", ".retry-1s", ".retry-10s", ".retry-1m", ".retry-10m", ".dead")
    names = [f"{queue}{suffix}" for queue in info.queues for suffix in suffixes]
    try:
        counts = count_messages(info.server("rabbitmq").url, names)
    except BROKER_ERRORS as error:
        return [Part("queue", "all", f"broker: {_first_line(error)}", {})]
    parts = []
    for queue in info.queues:
        dead = counts.get(f"{queue}.dead", 0)
        waiting_again = sum(counts.get(f"{queue}{suffix}", 0) for suffix in suffixes[1:-1])
        facts = {"waiting": counts.get(queue, 0), "retrying": waiting_again, "dead": dead}
        reason = "" if queue in counts else "missing: `python -m <service>.events declare` makes it"
        if dead:
            reason = f"{dead} dead letters; `crm dlq list` shows them"
        parts.append(Part("queue", queue, reason, facts))
    return parts


def _gateway(info: StackInfo) -> list[Part]:
    reason = waiting.healthy_gateway(info.gateway_url, Path(info.ca_file)) or ""
    return [Part("gateway", info.gateway_url, reason, {})]


def _print(info: StackInfo, parts: list[Part]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "part", "state", "facts"):
        table.add_column(column, overflow="fold")
    for part in parts:
        facts = "  ".join(f"{key} {value}" for key, value in part.facts.items() if value)
        state = "[green]well[/green]" if part.well else f"[red]{part.reason}[/red]"
        table.add_row(f"[dim]{part.group}[/dim]", part.name, state, f"[dim]{facts}[/dim]")
    console = make_console()
    console.print(table)
    unwell = [part.name for part in parts if not part.well]
    megabytes = sum(part.facts.get("memory_mb", 0) for part in parts)
    console.print(f"\n{info.name}: phase {info.phase}, {megabytes} MB", highlight=False)
    if unwell:
        console.print(f"[red]unwell: {', '.join(unwell)}[/red]", highlight=False)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
