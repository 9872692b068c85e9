"""People who work with tickets, the customers they speak of, and calls as they make them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from crm.ticketing.v1 import ticket_pb2 as pb
from crm.ticketing.v1 import ticket_service_pb2 as rpc
from kernel.jobs.timers import fire_due
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from ticketing.api.tickets import TicketServicer
from ticketing.jobs import watch_clocks
from ticketing.usecases.ports import CLOCK_TIMER, CLOSE_TIMER
from ticketing.wiring import TicketingApp

VERBS = (
    "tickets.read",
    "tickets.create",
    "tickets.update",
    "tickets.assign",
    "messages.read",
    "personal.read",
    "messages.create",
    "requesters.reveal",
)
SERVICE = Principal.service("ticketing")


def caller(scope: Scope = Scope.ALL, but: Collection[str] = (), user_id: UUID | None = None) -> Principal:
    """A user who may do all but some things, as far as `scope` reaches."""
    grants = {f"ticketing.{verb}": scope for verb in VERBS if verb not in but}
    return Principal(PrincipalKind.USER, str(user_id or new_id()), grants)


class Desk:
    """Calls the servicer as one principal."""

    def __init__(self, app: TicketingApp, principal: Principal | None = None) -> None:
        self.app = app
        self.principal = principal or caller()
        self._servicer = TicketServicer(app)

    def read(self, method: str, **fields: Any) -> Any:
        call = Call(self.principal, "zh", "", lambda *_: None)
        return getattr(self._servicer, method)(_request(method, fields), call)

    def command(self, method: str, **fields: Any) -> Any:
        with self.app.work(self.principal) as work:
            call = Call(self.principal, "zh", "", lambda *_: None, work=work)
            return getattr(self._servicer, method)(_request(method, fields), call)

    def open(
        self, subject: str = "问题", content: str = "", separate: bool = False, **fields: Any
    ) -> pb.Ticket:
        ticket = pb.Ticket(subject=subject, **fields)
        opened: pb.Ticket = self.command("create_ticket", ticket=ticket, content=content, separate=separate)
        return opened

    def get(self, ticket_id: str) -> pb.Ticket:
        found: pb.Ticket = self.read("get_ticket", id=ticket_id)
        return found

    def tell(self, ticket_id: str, content: str = "您好", **fields: Any) -> rpc.AddMessageResponse:
        """Says something to the customer."""
        message = pb.Message(direction="MESSAGE_DIRECTION_TO_CUSTOMER", content=content)
        added: rpc.AddMessageResponse = self.command("add_message", id=ticket_id, message=message, **fields)
        return added

    def messages(self, ticket_id: str) -> list[str]:
        return [message.content for message in self.read("list_messages", id=ticket_id).messages]

    def clocks(self, ticket_id: str) -> dict[str, rpc.ClockExplanation]:
        return {clock.clock: clock for clock in self.read("explain_clocks", id=ticket_id).clocks}

    def decisions(self, ticket_id: str, what: str) -> list[rpc.Decision]:
        decisions = self.read("explain_routing", id=ticket_id).decisions
        return [decision for decision in decisions if decision.what == what]


def _request(method: str, fields: dict[str, Any]) -> Any:
    name = "".join(word.title() for word in method.split("_"))
    return getattr(rpc, f"{name}Request")(**fields)


def person(app: TicketingApp, **classes: str) -> UUID:
    """A customer as the customer service told it, with classes by scheme."""
    customer_id = new_id()
    with app.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into customers (customer_id, version, kind, deleted) values (%s, 1, 'person', false)",
            (customer_id,),
        )
        for scheme, class_ in classes.items():
            connection.exec_driver_sql(
                "insert into classes (customer_id, scheme, version, class) values (%s, %s, 1, %s)",
                (customer_id, scheme, class_),
            )
    return customer_id


def merge(app: TicketingApp, survivor: UUID, absorbed: UUID) -> None:
    with app.work(SERVICE) as work:
        work.customers.link([(absorbed, survivor, 1)])


def team(app: TicketingApp, agents: int) -> tuple[UUID, list[UUID]]:
    """A team with so many members, by id."""
    team_id, users = new_id(), sorted(new_id() for _ in range(agents))
    with app.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into teams (team_id, version, path) values (%s, 1, %s)", (team_id, [team_id])
        )
        for user in users:
            connection.exec_driver_sql(
                "insert into staff (user_id, version, team_id) values (%s, 1, %s)", (user, team_id)
            )
    return team_id, users


def publish(app: TicketingApp, **sections: Any) -> None:
    """The first rule book with other sections."""
    with app.work(SERVICE) as work:
        book = work.rule_books.current()
        work.rule_books.publish(book.version + 1, {**book.document, **sections}, "")


def fire(app: TicketingApp) -> None:
    """All timers that are due by the clock of the test."""
    handlers = {CLOCK_TIMER: watch_clocks.watch, CLOSE_TIMER: watch_clocks.close}
    while fire_due(app, handlers, app.clock.now()):
        continue


def told(app: TicketingApp, event: str) -> list[dict[str, Any]]:
    """The data of the events of a type that wait in the outbox, oldest first."""
    rows = app.reader.rows(
        "select body::jsonb->'data' as data from outbox where type = %(type)s order by seq",
        {"type": f"crm.ticketing.v1.{event}"},
    )
    return [row.data for row in rows]


def jobs(app: TicketingApp, name: str) -> Sequence[dict[str, Any]]:
    """The arguments of the jobs that wait."""
    sql = "select args from procrastinate_jobs where task_name = %(name)s order by id"
    return [row.args for row in app.reader.rows(sql, {"name": name})]
