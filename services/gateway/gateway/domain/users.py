"""Users: members of staff, and customers in the portal, who sign in."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.pure.errors import Checks

SHORTEST_PASSWORD = 12
# A hash of a novel would be a way to keep a server busy.
LONGEST_PASSWORD = 256
LONGEST_DISPLAY_NAME = 100

# Begins with a letter, so that nobody's phone number becomes a login.
_LOGIN = re.compile(r"(?=.{2,64}$)[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")


@dataclass(eq=False)
class User:
    """`display_name` is None when it can't be read at present; `role_ids` are sorted and unique.

    `customer_id` is the customer whom a user of the portal is; None for members of staff.
    """

    id: UUID
    version: int
    login: str
    display_name: str | None
    team_id: UUID | None
    role_ids: tuple[str, ...]
    disabled: bool
    created_at: datetime
    customer_id: UUID | None = None

    def rights(self) -> tuple[object, ...]:
        """What tokens are minted from: when it changes, tokens in hand are void."""
        return (self.team_id, self.role_ids, self.disabled, self.customer_id)


@dataclass(frozen=True)
class UserDraft:
    """A user as a caller wants it."""

    login: str
    display_name: str
    team_id: UUID | None
    role_ids: tuple[str, ...]
    disabled: bool = False
    customer_id: UUID | None = None


# What an update may change, by the names of the fields.
CHANGEABLE = ("display_name", "team_id", "role_ids", "disabled", "customer_id")


def change(user: User, draft: UserDraft, fields: Collection[str]) -> list[str]:
    """Takes the named fields of `draft` over into `user`; answers those that differed."""
    changed = [
        field for field in CHANGEABLE if field in fields and getattr(user, field) != getattr(draft, field)
    ]
    for field in changed:
        setattr(user, field, getattr(draft, field))
    if changed:
        user.version += 1
    return changed


def normalize_login(text: str) -> str:
    """What a person typed as the login it means."""
    return text.strip().lower()


def check_login(login: str, checks: Checks) -> None:
    if not _LOGIN.fullmatch(login):
        checks.refuse(
            "user.login",
            "LOGIN_FORMAT",
            "must have 2 to 64 lower-case letters and digits, parted by single dots, dashes or underscores, "
            "and begin with a letter",
            "必须为 2 到 64 个小写字母和数字，可用单个点、短横线或下划线分隔，并以字母开头",
        )


def check_password(password: str, checks: Checks, field: str = "password") -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        checks.refuse(
            field,
            "PASSWORD_LENGTH",
            f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            f"必须为 {SHORTEST_PASSWORD} 到 {LONGEST_PASSWORD} 个字符",
        )


def check_display_name(name: str, checks: Checks) -> None:
    if len(name) > LONGEST_DISPLAY_NAME:
        checks.refuse(
            "user.display_name",
            "DISPLAY_NAME_LENGTH",
            f"must have at most {LONGEST_DISPLAY_NAME} characters",
            f"最多 {LONGEST_DISPLAY_NAME} 个字符",
        )
