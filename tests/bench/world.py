"""The installation that calls are measured on: 100,000 people, who owns them, and who calls."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from crm.gateway.v1.directory_service_pb2 import CreateTeamRequest, CreateUserRequest
from crm.gateway.v1.identity_pb2 import Team, User
from crm.sales.v1.order_pb2 import ErpId, Order, OrderStatus
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm.type.v1.money_pb2 import Money
from crm_cli.client import Account, Gateway, Session
from crm_cli.local.stack import StackInfo
from tests.bench.filling import import_file
from tests.bench.import_bench import people_csv
from tests.support.servers import eventually
from tests.support.stack import private_stack

TEAMS, SELLERS, CALLERS = 8, 40, 32
_PASSWORD = "for this bench only"
# One customer in so many has ordered, and orders told in one call.
_BUYERS, _BATCH = 5, 500
_PATIENCE = 120.0
_OWNED = """
    select c.id::text, c.owner_id, e.value
    from app.customers c join app.external_ids e on e.customer_id = c.id
    where c.survivor_id is null and c.deleted_at is null order by c.id
"""
# The import gave all of them to one.
_GIVE = "update app.customers set owner_id = (%s::uuid[])[1 + mod(abs(hashtext(id::text)), %s)]"


@dataclass(frozen=True)
class Person:
    id: str
    phone: str
    province: str


@dataclass(frozen=True)
class World:
    """`callers` are sales managers: each sees the customers of one team, masked."""

    info: StackInfo
    admin: Session
    callers: Sequence[Account]
    # By caller, the people within reach, in random order.
    reach: Sequence[Sequence[Person]]

    @property
    def ca(self) -> bytes:
        return Path(self.info.ca_file).read_bytes()

    @property
    def address(self) -> str:
        return self.info.gateway_url.removeprefix("https://")

    def tokens(self) -> list[str]:
        """An access token of each caller, good for a while."""
        return [caller.token() for caller in self.callers]


@contextmanager
def world(people: int) -> Iterator[World]:
    """A private installation with so many people in it; stopped at the end."""
    with private_stack("bench") as info:
        yield populate(info, people)


def populate(info: StackInfo, people: int) -> World:
    """Fills an empty installation through its gateway; only who owns whom is dealt out in the database."""
    gateway = Gateway(info.gateway_url, Path(info.ca_file))
    admin = gateway.password_account(info.admin_login, info.admin_password).session()
    rng = random.Random(people)
    teams = _teams(admin)
    sellers = [_user(admin, f"seller{n}", teams[n % TEAMS], "seller") for n in range(SELLERS)]
    for n in range(CALLERS):
        _user(admin, f"manager{n}", teams[n % TEAMS], "sales_manager")
    content = people_csv(people)
    import_file(admin, content, "bench")
    with psycopg.connect(info.service("customer").database_owner_url, autocommit=True) as database:
        eventually(lambda: _one(database, "select count(*) from app.staff") >= SELLERS + CALLERS, _PATIENCE)
        database.execute(_GIVE, (sellers, SELLERS))
        owned = database.execute(_OWNED).fetchall()
        buyers = rng.sample([row[0] for row in owned], len(owned) // _BUYERS)
        tell_orders(admin, buyers, rng)
        eventually(lambda: _one(database, "select count(*) from app.orders") >= len(buyers), _PATIENCE)
        database.execute("vacuum analyze")
    return World(
        info=info,
        admin=admin,
        callers=[gateway.password_account(f"manager{n}", _PASSWORD) for n in range(CALLERS)],
        reach=_reach(content, owned, sellers, rng),
    )


def tell_orders(admin: Session, buyers: Sequence[str], rng: random.Random) -> None:
    """An order of each, as an ERP tells them."""
    for start in range(0, len(buyers), _BATCH):
        orders = [_order(buyer, rng) for buyer in buyers[start : start + _BATCH]]
        request = BatchUpsertOrdersRequest(orders=orders, request_id=str(uuid4()))
        admin.call(admin.orders.BatchUpsertOrders, request)


def _reach(
    content: bytes, owned: Sequence[Any], sellers: Sequence[str], rng: random.Random
) -> list[list[Person]]:
    rows = {row["客户编号"]: row for row in csv.DictReader(io.StringIO(content.decode()))}
    team_of = {UUID(seller): place % TEAMS for place, seller in enumerate(sellers)}
    members: list[list[Person]] = [[] for _ in range(TEAMS)]
    for customer_id, owner_id, number in owned:
        row = rows[number]
        person = Person(customer_id, row["手机"].split(" / ")[0], row["省份"])
        members[team_of[owner_id]].append(person)
    return [rng.sample(team, len(team)) for team in (members[n % TEAMS] for n in range(CALLERS))]


def _teams(admin: Session) -> list[str]:
    def made(name: str, parent: str) -> str:
        request = CreateTeamRequest(team=Team(name=name, parent_id=parent), request_id=str(uuid4()))
        return str(admin.call(admin.directory.CreateTeam, request).id)

    root = made("sales", "")
    return [made(f"team {n}", root) for n in range(TEAMS)]


def _user(admin: Session, login: str, team_id: str, role: str) -> str:
    user = User(login=login, display_name=login, team_id=team_id, role_ids=[role])
    request = CreateUserRequest(user=user, password=_PASSWORD, request_id=str(uuid4()))
    return str(admin.call(admin.directory.CreateUser, request).id)


def _order(buyer: str, rng: random.Random) -> Order:
    day = datetime.now(UTC).date() - timedelta(days=rng.randrange(400))
    return Order(
        external_id=ErpId(source="bench", value=str(uuid4())),
        source_version=1,
        customer_id=buyer,
        ordered_on=day.isoformat(),
        status=OrderStatus.ORDER_STATUS_PAID,
        total=Money(amount=f"{rng.randrange(100, 200_000)}.00", currency_code="CNY"),
    )


def _one(database: psycopg.Connection[Any], sql: str) -> int:
    row = database.execute(sql.encode()).fetchone()
    return int(row[0]) if row else 0
