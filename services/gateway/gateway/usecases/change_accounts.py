"""Service accounts: switched off and on, and given a new secret while the old one works on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from gateway.domain.accounts import ServiceAccount, check_overlap, with_secrets
from gateway.domain.sessions import digest, new_secret
from gateway.usecases.give_rights import check_giving_roles
from gateway.usecases.ports import Work
from kernel.pure.errors import Checks


def disable_service_account(work: Work, account_id: UUID) -> ServiceAccount:
    """No new tokens, and those in hand are void; no error when it was disabled.

    Raises ServiceAccountNotFound.
    """
    account, secrets = work.service_accounts.lend(account_id)
    if account.disabled:
        return account
    account = replace(account, disabled=True)
    work.service_accounts.save(account, secrets)
    work.sessions.void_tokens(account_id, work.clock.now())
    work.audit("disable", "service_account", account_id)
    return account


def enable_service_account(work: Work, account_id: UUID) -> ServiceAccount:
    """Its roles are given to it anew. Raises ServiceAccountNotFound or BeyondOwnRights."""
    account, secrets = work.service_accounts.lend(account_id)
    if not account.disabled:
        return account
    check_giving_roles(work, account.role_ids, None)
    account = replace(account, disabled=False)
    work.service_accounts.save(account, secrets)
    work.audit("enable", "service_account", account_id)
    return account


def rotate_secret(work: Work, account_id: UUID, overlap: timedelta) -> tuple[ServiceAccount, str]:
    """The account and its new secret, which is not kept. Without overlap the tokens in hand are void too.

    Who holds the secret acts as the account: raises BeyondOwnRights when it may do what the caller may not;
    raises ServiceAccountNotFound or Invalid.
    """
    checks = Checks()
    check_overlap(overlap, checks)
    checks.raise_if_any()
    account, secrets = work.service_accounts.lend(account_id)
    check_giving_roles(work, account.role_ids, None)
    secret = new_secret()
    secrets = secrets.rotated(digest(secret), work.now, overlap)
    account = with_secrets(account, secrets)
    work.service_accounts.save(account, secrets)
    if not overlap:
        work.sessions.void_tokens(account_id, work.clock.now())
    work.audit("rotate_secret", "service_account", account_id, overlap_seconds=int(overlap.total_seconds()))
    return account, secret
