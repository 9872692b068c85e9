"""The staff of the sample company: teams, users, the ERP's service account."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
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
from crm_cli.sample.company import ERP_NAME, ERP_ROLE, STAFF, TEAMS

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
        password = logins.password(one.login)
        found = admin.call(admin.directory.ListUsers, ListUsersRequest(login=one.login)).users
        if found:
            ids[one.login] = found[0].id
        else:
            user = User(login=one.login, display_name=one.name, team_id=teams[one.team], role_ids=[one.role])
            request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
            ids[one.login] = admin.call(admin.directory.CreateUser, request).id
        demo.append(DemoLogin(role=one.role, login=one.login, password=password, name=one.name))
    return ids, demo


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
