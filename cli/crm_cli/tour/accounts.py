"""Who the tour acts as: a service account for the ERP and two sellers. Made once, then used again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from crm.gateway.v1.directory_service_pb2 import CreateServiceAccountRequest, CreateUserRequest
from crm.gateway.v1.identity_pb2 import ServiceAccount, User
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.local.files import write_private

FILE = "tour-credentials.json"
ERP_ROLE = "integration"
SELLER_ROLE = "seller"


@dataclass(frozen=True)
class Secret:
    """What proves who somebody is: login and password, or client id and client secret."""

    name: str
    secret: str


@dataclass(frozen=True)
class Kept:
    """What the tour remembers of an installation from one run to the next; readable by its owner only.

    `old_token` is an access token of the run before: by the time it has expired it serves to show that it
    is refused.
    """

    erp: Secret | None = None
    sellers: tuple[Secret, ...] = ()
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
            sellers=tuple(Secret(**one) for one in data["sellers"]),
            old_token=data["old_token"],
        )

    def save(self, folder: Path) -> None:
        write_private(folder / FILE, json.dumps(asdict(self), indent=1))


@dataclass(frozen=True)
class Accounts:
    """Signed in and ready; `made` says how many of them are new."""

    erp: Account
    sellers: tuple[Account, Account]
    made: int


def open_accounts(gateway: Gateway, admin: Session, folder: Path) -> Accounts:
    """The accounts of the run before where they still work, else new ones."""
    kept = Kept.load(folder)
    made = 0
    erp = _working(gateway.secret_account, kept.erp)
    if erp is None:
        secret = _new_service_account(admin)
        kept = replace(kept, erp=secret)
        kept.save(folder)  # at once: the secret is told only once
        erp = gateway.secret_account(secret.name, secret.secret)
        made += 1
    sellers: list[Account] = []
    for place in (0, 1):
        seller = _working(
            gateway.password_account, kept.sellers[place] if place < len(kept.sellers) else None
        )
        if seller is None:
            secret = _new_seller(admin)
            kept = replace(kept, sellers=(*kept.sellers[:place], secret, *kept.sellers[place + 1 :]))
            kept.save(folder)
            seller = gateway.password_account(secret.name, secret.secret)
            made += 1
        sellers.append(seller)
    return Accounts(erp, (sellers[0], sellers[1]), made)


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


def _new_seller(admin: Session) -> Secret:
    secret = Secret(f"tour.seller.{_suffix()}", secrets.token_urlsafe(16))
    user = User(login=secret.name, display_name="巡检销售", role_ids=[SELLER_ROLE])
    request = CreateUserRequest(user=user, password=secret.secret, request_id=str(uuid4()))
    admin.call(admin.directory.CreateUser, request)
    return secret


def _suffix() -> str:
    return secrets.token_hex(3)
