"""Who the tour acts as: a service account for the ERP, two sellers of no team, a sales team with its manager,
a service team's agent with the manager of the service, a marketer, and a privacy officer. Made once, then
used again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import uuid4

from crm.gateway.v1.directory_service_pb2 import (
    CreateServiceAccountRequest,
    CreateTeamRequest,
    CreateUserRequest,
)
from crm.gateway.v1.identity_pb2 import ServiceAccount, Team, User
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.local.files import write_private

FILE = "tour-credentials.json"
ERP_ROLE = "integration"
SELLER, MANAGER = "seller", "sales_manager"
SALES_TEAM, SERVICE_TEAM = "销售部", "客服部"
# Login's beginning, role, and the team they belong to.
STAFF = (
    ("seller", SELLER, ""),
    ("other.seller", SELLER, ""),
    ("manager", MANAGER, SALES_TEAM),
    ("team.seller", SELLER, SALES_TEAM),
    ("colleague", SELLER, SALES_TEAM),
    ("agent", "agent", SERVICE_TEAM),
    ("service.manager", "service_manager", ""),
    ("marketer", "marketer", ""),
    ("officer", "privacy_officer", ""),
)
# With the ERP.
EVERYBODY = 1 + len(STAFF)
_DISPLAYED = {
    SELLER: "巡检销售",
    MANAGER: "巡检经理",
    "agent": "巡检客服",
    "service_manager": "巡检客服经理",
    "marketer": "巡检市场",
    "privacy_officer": "巡检个保负责人",
}


@dataclass(frozen=True)
class Secret:
    """What proves who somebody is: login and password, or client id and client secret."""

    name: str
    secret: str


@dataclass
class Kept:
    """What the tour remembers of an installation from one run to the next; readable by its owner only.

    `teams` are ids by name. `old_token` is an access token of the run before: by the time it has expired
    it serves to show that it is refused.
    """

    erp: Secret | None = None
    staff: dict[str, Secret] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    old_token: str = ""

    @classmethod
    def load(cls, folder: Path) -> Kept:
        """What was kept in `folder`; nothing when there is no file."""
        try:
            data = json.loads((folder / FILE).read_text("utf-8"))
        except FileNotFoundError:
            return cls()
        return cls(
            erp=Secret(**data["erp"]) if data["erp"] else None,
            staff={name: Secret(**one) for name, one in data.get("staff", {}).items()},
            teams=data.get("teams", {}),
            old_token=data["old_token"],
        )

    def save(self, folder: Path) -> None:
        write_private(folder / FILE, json.dumps(asdict(self), indent=1))


@dataclass(frozen=True)
class Branch:
    """A team: its manager and two sellers."""

    manager: Account
    seller: Account
    colleague: Account


@dataclass(frozen=True)
class Service:
    """Those who answer customers: an agent, their team, and the manager who makes the rules."""

    manager: Account
    agent: Account
    team_id: str


@dataclass(frozen=True)
class Accounts:
    """Signed in and ready."""

    erp: Account
    sellers: tuple[Account, Account]
    branch: Branch
    service: Service
    marketer: Account
    officer: Account


def open_accounts(gateway: Gateway, admin: Session, folder: Path) -> Accounts:
    """The accounts of the run before where they still work, else new ones."""
    kept = Kept.load(folder)
    erp = _working(gateway.secret_account, kept.erp)
    if erp is None:
        kept.erp = _new_service_account(admin)
        kept.save(folder)  # at once: the secret is told only once
        erp = gateway.secret_account(kept.erp.name, kept.erp.secret)
    staff: dict[str, Account] = {}
    for name, role, team in STAFF:
        account = _working(gateway.password_account, kept.staff.get(name))
        if account is None:
            secret = _new_user(admin, name, role, _team(admin, kept, folder, team) if team else "")
            kept.staff[name] = secret
            kept.save(folder)
            account = gateway.password_account(secret.name, secret.secret)
            account.token()
        staff[name] = account
    return Accounts(
        erp,
        sellers=(staff["seller"], staff["other.seller"]),
        branch=Branch(staff["manager"], staff["team.seller"], staff["colleague"]),
        service=Service(staff["service.manager"], staff["agent"], kept.teams[SERVICE_TEAM]),
        marketer=staff["marketer"],
        officer=staff["officer"],
    )


def _working(sign_in: Callable[[str, str], Account], secret: Secret | None) -> Account | None:
    """The account when its secret still opens it."""
    if secret is None:
        return None
    account = sign_in(secret.name, secret.secret)
    try:
        account.token()
    except Refused:
        return None
    return account


def _new_service_account(admin: Session) -> Secret:
    request = CreateServiceAccountRequest(
        service_account=ServiceAccount(name=f"crm tour {_suffix()}", role_ids=[ERP_ROLE]),
        request_id=str(uuid4()),
    )
    made = admin.call(admin.directory.CreateServiceAccount, request)
    return Secret(made.service_account.id, made.client_secret)


def _team(admin: Session, kept: Kept, folder: Path, name: str) -> str:
    """The id of the team."""
    if name not in kept.teams:
        request = CreateTeamRequest(team=Team(name=f"巡检{name} {_suffix()}"), request_id=str(uuid4()))
        kept.teams[name] = admin.call(admin.directory.CreateTeam, request).id
        kept.save(folder)
    return kept.teams[name]


def _new_user(admin: Session, name: str, role: str, team_id: str) -> Secret:
    secret = Secret(f"tour.{name}.{_suffix()}", secrets.token_urlsafe(16))
    user = User(login=secret.name, display_name=_DISPLAYED[role], team_id=team_id, role_ids=[role])
    request = CreateUserRequest(user=user, password=secret.secret, request_id=str(uuid4()))
    admin.call(admin.directory.CreateUser, request)
    return secret


def _suffix() -> str:
    return secrets.token_hex(3)
