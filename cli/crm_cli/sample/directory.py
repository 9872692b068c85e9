"""Who signs in at the sample company: staff in their teams, a customer in the portal, the ERP."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

from crm.gateway.v1.directory_service_pb2 import (
    CreateServiceAccountRequest,
    CreateTeamRequest,
    CreateUserRequest,
    ListTeamsRequest,
    ListUsersRequest,
)
from crm.gateway.v1.identity_pb2 import ServiceAccount, Team, User
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.local.files import write_private
from crm_cli.local.stack import DemoLogin
from crm_cli.sample.company import (
    ERP_NAME,
    ERP_ROLE,
    PORTAL_CUSTOMER,
    PORTAL_LOGIN,
    PORTAL_ROLE,
    STAFF,
    TEAMS,
    people,
)

FILE = "sample-logins.json"
_PAGE = 200


class Logins:
    """The secrets of the sample company, random for this installation, in a file that only its owner may
    read.

    They are written down before a user is made with them, so that a load that was cut off can go on.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known: dict[str, str] = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}

    def password(self, login: str) -> str:
        """The password of a login, made when first asked for."""
        if login not in self._known:
            self.keep(login, secrets.token_urlsafe(12))
        return self._known[login]

    def get(self, name: str) -> str:
        """What is kept under `name`; empty for nothing."""
        return self._known.get(name, "")

    def keep(self, name: str, secret: str) -> None:
        self._known[name] = secret
        write_private(self._path, json.dumps(self._known, indent=1))


def make_teams(admin: Session) -> dict[str, str]:
    """The ids of the teams by name; those that are missing are made."""
    ids = {team.name: team.id for team in _teams(admin)}
    for name, parent in TEAMS:
        if name not in ids:
            team = Team(name=name, parent_id=ids[parent] if parent else "")
            request = CreateTeamRequest(team=team, request_id=str(uuid4()))
            ids[name] = admin.call(admin.directory.CreateTeam, request).id
    return ids


def make_staff(
    admin: Session, teams: dict[str, str], logins: Logins
) -> tuple[dict[str, str], list[DemoLogin]]:
    """The ids of the staff by login, and how each signs in."""
    ids: dict[str, str] = {}
    demo: list[DemoLogin] = []
    for one in STAFF:
        user = User(login=one.login, display_name=one.name, team_id=teams[one.team], role_ids=[one.role])
        ids[one.login], login = _make_user(admin, user, logins)
        demo.append(login)
    return ids, demo


def make_portal_user(admin: Session, customers: Mapping[str, str], logins: Logins) -> DemoLogin:
    """How one of the customers, whose ids are by their number at the ERP, signs in to the portal."""
    [name] = [one.who.full_name for one in people() if one.number == PORTAL_CUSTOMER]
    customer_id = customers[PORTAL_CUSTOMER]
    user = User(login=PORTAL_LOGIN, display_name=name, role_ids=[PORTAL_ROLE], customer_id=customer_id)
    return _make_user(admin, user, logins)[1]


def _make_user(admin: Session, user: User, logins: Logins) -> tuple[str, DemoLogin]:
    """The id of the user with this login, made when there is none, and how they sign in."""
    password = logins.password(user.login)
    login = DemoLogin(user.role_ids[0], user.login, password, user.display_name)
    found = admin.call(admin.directory.ListUsers, ListUsersRequest(login=user.login)).users
    if found:
        return found[0].id, login
    request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    return admin.call(admin.directory.CreateUser, request).id, login


def open_erp(gateway: Gateway, admin: Session, logins: Logins) -> tuple[Account, DemoLogin]:
    """The service account by which the ERP calls: the one that is kept, else a new one."""
    client_id, client_secret = logins.get("erp client id"), logins.get("erp client secret")
    if client_id and client_secret:
        account = gateway.secret_account(client_id, client_secret)
        try:
            account.token()
            return account, _erp_login(client_id, client_secret)
        except Refused:
            pass  # of an installation that is no more: a new one is made
    wanted = ServiceAccount(name=f"{ERP_NAME} {secrets.token_hex(2)}", role_ids=[ERP_ROLE])
    request = CreateServiceAccountRequest(service_account=wanted, request_id=str(uuid4()))
    made = admin.call(admin.directory.CreateServiceAccount, request)
    logins.keep("erp client id", made.service_account.id)
    logins.keep("erp client secret", made.client_secret)
    account = gateway.secret_account(made.service_account.id, made.client_secret)
    return account, _erp_login(made.service_account.id, made.client_secret)


def _erp_login(client_id: str, client_secret: str) -> DemoLogin:
    return DemoLogin(role=ERP_ROLE, login=client_id, password=client_secret, name=ERP_NAME)


def _teams(admin: Session) -> Iterator[Team]:
    request = ListTeamsRequest(page_size=_PAGE)
    while True:
        page = admin.call(admin.directory.ListTeams, request)
        yield from page.teams
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
