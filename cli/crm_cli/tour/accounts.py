"""Who the tour acts as: a service account for the ERP, two sellers of no team, and a team with its manager.
Made once, then used again.
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
# Login's beginning, role, and whether they belong to the team.
STAFF = (
    ("seller", SELLER, False),
    ("other.seller", SELLER, False),
    ("manager", MANAGER, True),
    ("team.seller", SELLER, True),
    ("colleague", SELLER, True),
)


@dataclass(frozen=True)
class Secret:
    """What proves who somebody is: login and password, or client id and client secret."""

    name: str
    secret: str


@dataclass
class Kept:
    """What the tour remembers of an installation from one run to the next; readable by its owner only.

    `old_token` is an access token of the run before: by the time it has expired it serves to show that it
    is refused.
    """

    erp: Secret | None = None
    staff: dict[str, Secret] = field(default_factory=dict)
    team_id: str = ""
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
            team_id=data.get("team_id", ""),
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
class Accounts:
    """Signed in and ready."""

    erp: Account
    sellers: tuple[Account, Account]
    branch: Branch

    @property
    def count(self) -> int:
        return 1 + len(STAFF)


def open_accounts(gateway: Gateway, admin: Session, folder: Path) -> Accounts:
    """The accounts of the run before where they still work, else new ones."""
    kept = Kept.load(folder)
    erp = _working(gateway.secret_account, kept.erp)
    if erp is None:
        kept.erp = _new_service_account(admin)
        kept.save(folder)  # at once: the secret is told only once
        erp = gateway.secret_account(kept.erp.name, kept.erp.secret)
    staff: dict[str, Account] = {}
    for name, role, in_team in STAFF:
        account = _working(gateway.password_account, kept.staff.get(name))
        if account is None:
            secret = _new_user(admin, name, role, _team(admin, kept, folder) if in_team else "")
            kept.staff[name] = secret
            kept.save(folder)
            account = gateway.password_account(secret.name, secret.secret)
            account.token()
        staff[name] = account
    branch = Branch(staff["manager"], staff["team.seller"], staff["colleague"])
    return Accounts(erp, (staff["seller"], staff["other.seller"]), branch)


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


def _team(admin: Session, kept: Kept, folder: Path) -> str:
    """The id of the team."""
    if not kept.team_id:
        request = CreateTeamRequest(team=Team(name=f"巡检销售部 {_suffix()}"), request_id=str(uuid4()))
        kept.team_id = admin.call(admin.directory.CreateTeam, request).id
        kept.save(folder)
    return kept.team_id


def _new_user(admin: Session, name: str, role: str, team_id: str) -> Secret:
    secret = Secret(f"tour.{name}.{_suffix()}", secrets.token_urlsafe(16))
    display = "巡检经理" if role == MANAGER else "巡检销售"
    user = User(login=secret.name, display_name=display, team_id=team_id, role_ids=[role])
    request = CreateUserRequest(user=user, password=secret.secret, request_id=str(uuid4()))
    admin.call(admin.directory.CreateUser, request)
    return secret


def _suffix() -> str:
    return secrets.token_hex(3)
