"""F9: persons are erased while services are shot and others are served; nothing of them is left to read."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import redis
from psycopg.conninfo import conninfo_to_dict

from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest, GetCustomerRequest
from crm.customer.v1.timeline_service_pb2 import (
    INTERACTION_KIND_COMPLAINT,
    Interaction,
    ListTimelineRequest,
    RecordInteractionRequest,
)
from crm.privacy.v1.erasure_service_pb2 import CreateErasureRequestRequest, VerifyErasureRequestRequest
from crm.sales.v1.lead_pb2 import Lead
from crm.sales.v1.lead_service_pb2 import CreateLeadRequest, GetLeadRequest
from crm.ticketing.v1.ticket_pb2 import Ticket
from crm.ticketing.v1.ticket_service_pb2 import CreateTicketRequest, GetTicketRequest, ListMessagesRequest
from crm_cli.client import Refused, Session
from crm_cli.local.layout import SERVICES
from tests.faults import commands, kills, laws, standing
from tests.faults.clients import Clients, shuffled
from tests.faults.history import History, check
from tests.faults.scenario import Result, Scale
from tests.faults.world import World
from tests.system.behind import until
from tests.system.planted import Planted
from tests.system.traces import dump, search, traces

ERASURES, COMMANDS, KILLS, AGAIN = 200, 5_000, 20, 300
CLIENTS = 6
_VICTIMS = (
    "privacy.api", "privacy.events", "privacy.jobs", "customer.api", "customer.events", "customer.jobs",
    "sales.events", "marketing.events", "ticketing.events", "ticketing.jobs", "postgres-keyring", "envoy",
)  # fmt: skip
_PATIENCE = 240.0  # seconds until all are closed; who does not answer is told again after a minute
_AT_ONCE = 4
_OPEN = "select count(*) from app.erasures where id = any(%s) and state <> 'closed'"
# Without the keys to what the law commands to keep.
_KEYS = "select subject_id from app.subject_keys where subject_id = any(%s) and key_class = 'operational'"
_OVERDUE = """
    select count(*) from app.erasures where state not in ('closed', 'refused') and due_at < now()
"""


@dataclass
class Subject:
    """A person who is to be erased, and what of them is held where."""

    id: str
    ticket: str = ""
    lead: str = ""


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F9 {result.seed}"
    planted = Planted()
    known = commands.customers(world.feeder.session(), source, 30, random)
    subjects = _people(world, random, planted, scale(ERASURES))
    world.begin()
    _spread(world, random, planted, subjects)
    world.settle()
    before = _readable(world, planted, subjects)
    result.demand(len(before) == len(subjects), f"of {len(subjects)} only {len(before)} could be read before")
    history = History()
    others = commands.commands(source, scale(COMMANDS) - 2 * len(subjects), known, random)
    serving = Clients(world.feeder, shuffled(random, others), history, CLIENTS)
    requests: list[str] = []
    erasing = threading.Thread(target=lambda: requests.extend(_request(world, random, subjects)), daemon=True)
    erasing.start()
    shots = scale(KILLS)
    for number in range(shots):
        while history.ended() < len(others) * number // shots and serving.busy:
            time.sleep(0.02)
        world.shoot(random.choice(_VICTIMS))
    serving.join()
    erasing.join()
    result.commands, result.kills = history.count() + 2 * len(subjects), shots
    closed = _await_closed(world, requests, result)
    world.settle()
    kills.tell_again(world, random, scale(AGAIN))
    result.figures["closed"] = closed
    [(overdue,)] = world.behind.rows("privacy", _OVERDUE)
    result.demand(overdue == 0, f"{overdue} erasures are overdue")
    result.take(
        laws.breach("of who was erased nothing can be read", "readable", _residues(world, planted, subjects))
    )
    for place, effects in commands.effects(world, source):
        kinds = ("visitor", "order") if place == "projections" else None
        result.found(place, check(history.of(source, kinds) if kinds else history, effects))
    standing.examine(world, result)


def erase_few(world: World, random: Random, result: Result, count: int) -> None:
    """Erases some persons without any harm; leaves them closed."""
    subjects = _people(world, random, Planted(), count)
    world.begin()
    requests = _request(world, random, subjects)
    result.commands = 2 * count
    _await_closed(world, requests, result)
    world.settle()


def _people(world: World, random: Random, planted: Planted, count: int) -> list[Subject]:
    session, made = world.admin.session(), []
    for start in range(0, count, 200):
        people = [Customer(person=planted.person()) for _ in range(min(200, count - start))]
        request = BatchCreateCustomersRequest(
            customers=people, request_id=commands.request_id(random), allow_duplicate=True
        )
        made += session.call(session.customers.BatchCreateCustomers, request).outcomes
    return [Subject(outcome.created_id) for outcome in made]


def _spread(world: World, random: Random, planted: Planted, subjects: Sequence[Subject]) -> None:
    """Every person says something, has a concern, and is a lead: words of theirs in every service."""
    wishes = [
        (
            subject,
            planted.said(),
            planted.said(),
            planted.said(),
            [commands.request_id(random) for _ in range(3)],
        )
        for subject in subjects
    ]

    def spread(wish: Any) -> None:
        session = _session_of(world)
        subject, said, asked, needed, (first, second, third) = wish
        interaction = Interaction(kind=INTERACTION_KIND_COMPLAINT, channel="phone", content=said)
        session.call(
            session.timelines.RecordInteraction,
            RecordInteractionRequest(customer_id=subject.id, interaction=interaction, request_id=first),
        )
        ticket = Ticket(customer_id=subject.id, subject=asked, channel="phone")
        opening = CreateTicketRequest(ticket=ticket, content=asked, request_id=second)
        subject.ticket = session.call(session.tickets.CreateTicket, opening).id
        lead = Lead(customer_id=subject.id, source_channel="老客推荐", requirement=needed)
        subject.lead = session.call(
            session.leads.CreateLead, CreateLeadRequest(lead=lead, request_id=third)
        ).id

    _each(spread, wishes)


def _request(world: World, random: Random, subjects: Sequence[Subject]) -> list[str]:
    """Each is asked for and verified; ids of the requests."""
    wishes = [(one.id, commands.request_id(random), commands.request_id(random)) for one in subjects]

    def request(wish: tuple[str, str, str]) -> str:
        session = _session_of(world)
        subject_id, first, second = wish
        asked = CreateErasureRequestRequest(subject_id=subject_id, request_id=first)
        found = until("the person is known", lambda: _known(session, asked))
        attested = VerifyErasureRequestRequest(id=found, evidence="当面核验", request_id=second)
        session.call(session.erasures.VerifyErasureRequest, attested)
        return str(found)

    return _each(request, wishes)


def _known(session: Session, asked: CreateErasureRequestRequest) -> str:
    try:
        return str(session.call(session.erasures.CreateErasureRequest, asked).id)
    except Refused as refused:
        if refused.reason != "SUBJECT_UNKNOWN":
            raise
        return ""


def _await_closed(world: World, requests: Sequence[str], result: Result) -> int:
    give_up = time.monotonic() + _PATIENCE
    while (open := world.behind.rows("privacy", _OPEN, list(requests))[0][0]) and time.monotonic() < give_up:
        time.sleep(0.5)
    result.demand(open == 0, f"{open} of {len(requests)} erasures are not closed after {_PATIENCE:g} s")
    return len(requests) - int(open)


def _residues(world: World, planted: Planted, subjects: Sequence[Subject]) -> list[str]:
    """Where something of them can be read still."""
    found = [f"read of {one}" for one in _readable(world, planted, subjects)]
    ids = [one.id for one in subjects]
    for service in SERVICES:
        keyring = conninfo_to_dict(world.behind.stack.service(service).keyring_url)["dbname"]
        keys = world.behind.rows(str(keyring), _KEYS, ids, cluster="keyring")
        found += [f"a key in {service}: {one}" for (one,) in keys]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        files = [dump(world.behind, cluster, folder) for cluster in ("main", "keyring")]
        files += [_redis(world, folder), *world.behind.log_files()]
        found += search(traces(planted.words), files)
    return found


def _redis(world: World, folder: Path) -> Path:
    """All that Redis holds, in a file."""
    file = folder / "redis.txt"
    with redis.Redis.from_url(world.behind.stack.server("redis").url) as client:
        keys = list(client.scan_iter())
        file.write_bytes(b"\n".join(key + b"\n" + (client.dump(key) or b"") for key in keys))
    return file


def _readable(world: World, planted: Planted, subjects: Sequence[Subject]) -> list[str]:
    """Ids of those of whom an administrator reads any planted word, by the doors of three services."""
    words = [word for all in planted.words.values() for word in all]

    def read(subject: Subject) -> str:
        session = _session_of(world)
        questions: list[tuple[Any, Any]] = [
            (session.customers.GetCustomer, GetCustomerRequest(id=subject.id)),
            (session.timelines.ListTimeline, ListTimelineRequest(customer_id=subject.id)),
        ]
        if subject.ticket:
            questions.append((session.tickets.GetTicket, GetTicketRequest(id=subject.ticket)))
            questions.append((session.tickets.ListMessages, ListMessagesRequest(id=subject.ticket)))
        if subject.lead:
            questions.append((session.leads.GetLead, GetLeadRequest(id=subject.lead)))
        text = "".join(_answer(session, method, request) for method, request in questions)
        return subject.id if any(word in text for word in words) else ""

    return [one for one in _each(read, subjects) if one]


def _answer(session: Session, method: Any, request: Any) -> str:
    """The answer as text; none of what is not there any more."""
    try:
        answer = session.call(method, request)
    except Refused:
        return ""
    return bytes(answer.SerializeToString()).decode("utf-8", "replace")


_LOCAL = threading.local()


def _session_of(world: World) -> Session:
    """A connection for each thread."""
    if getattr(_LOCAL, "world", None) is not world:
        _LOCAL.world, _LOCAL.session = world, world.admin.session()
    session: Session = _LOCAL.session
    return session


def _each(work: Callable[[Any], Any], wishes: Sequence[Any]) -> list[Any]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, wishes))
