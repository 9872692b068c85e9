"""Users and who they are elsewhere: linked by an administrator, or by their e-mail address."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from gateway.domain.errors import IdentityTaken
from gateway.domain.identities import subject_digest
from gateway.usecases.end_sessions import revoke_sessions
from gateway.usecases.give_rights import check_giving_roles
from gateway.usecases.ports import Work
from kernel.pure.errors import Checks

_LONGEST_SUBJECT = 255  # OpenID Connect Core


def link_user(work: Work, issuers: Collection[str], user_id: UUID, issuer: str, subject: str) -> None:
    """From now on the provider's subject signs in as the user; no error when it did.

    Whoever is linked acts as the user: raises BeyondOwnRights when the user may do what the caller may not;
    raises UserNotFound, Invalid or IdentityTaken.
    """
    checks = Checks()
    if issuer not in issuers:
        checks.refuse(
            "issuer", "UNKNOWN_ISSUER", "must be a provider that is configured", "必须是已配置的提供方"
        )
    if not 1 <= len(subject) <= _LONGEST_SUBJECT:
        checks.refuse(
            "subject",
            "SUBJECT_LENGTH",
            f"must have 1 to {_LONGEST_SUBJECT} characters",
            f"必须为 1 到 {_LONGEST_SUBJECT} 个字符",
        )
    checks.raise_if_any()
    user = work.users.lend(user_id)
    check_giving_roles(work, user.role_ids, user.team_id)
    if work.users.link(issuer, subject_digest(issuer, subject), user_id) != user_id:
        raise IdentityTaken
    work.audit("link", "user", user_id, issuer=issuer)


def unlink_user(work: Work, user_id: UUID, issuer: str) -> None:
    """Whoever the provider knows as the user no longer signs in so; their sessions end.

    Raises UserNotFound.
    """
    work.users.lend(user_id)
    if work.users.unlink(issuer, user_id):
        revoke_sessions(work, user_id)
        work.audit("unlink", "user", user_id, issuer=issuer)
