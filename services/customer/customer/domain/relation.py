"""Who has to do with whom: contacts of companies, family, referrals, groups of companies (C-03)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.pure.errors import Checks

CONTACT = "contact"
# Of each kind, what stands at its beginning and at its end; "" for either.
ENDS = {
    CONTACT: ("person", "company"),
    "family": ("person", "person"),
    "referral": ("", ""),
    "parent_company": ("company", "company"),
    "partner": ("", ""),
}
_LONGEST_ROLE = 100


@dataclass(frozen=True)
class RelationDraft:
    """A relation as told. `role`: what a contact is at the company; `primary`: to be asked first."""

    kind: str
    from_id: UUID
    to_id: UUID
    role: str = ""
    primary: bool = False


@dataclass(frozen=True)
class Relation:
    """A relation as kept; the fields are those of its draft."""

    id: UUID
    kind: str
    from_id: UUID
    to_id: UUID
    role: str
    primary: bool


def checked(draft: RelationDraft, checks: Checks, at: str) -> RelationDraft:
    """`draft` in normal form.

    Refuses, through `checks` and naming fields below `at`, whatever breaks a rule that can be seen
    without knowing the customers.
    """
    role = " ".join(draft.role.split())
    if draft.kind not in ENDS:
        known = ", ".join(ENDS)
        checks.refuse(f"{at}.kind", "RELATION_KIND", f"must be one of: {known}", f"必须是其中之一：{known}")
    elif draft.kind != CONTACT:
        for field, given in (("role", bool(role)), ("primary", draft.primary)):
            if given:
                checks.refuse(
                    f"{at}.{field}", "CONTACTS_ONLY", "belongs to contacts only", "仅适用于联系人关系"
                )
    if len(role) > _LONGEST_ROLE:
        checks.refuse(
            f"{at}.role",
            "TOO_LONG",
            f"must have at most {_LONGEST_ROLE} characters",
            f"最多 {_LONGEST_ROLE} 个字符",
        )
    if draft.from_id == draft.to_id:
        refuse_itself(checks, at)
    return RelationDraft(draft.kind, draft.from_id, draft.to_id, role, draft.primary)


def refuse_itself(checks: Checks, at: str) -> None:
    checks.refuse(f"{at}.to_id", "RELATED_TO_ITSELF", "must be another customer", "必须是另一个客户")


def check_ends(kind: str, from_kind: str, to_kind: str, checks: Checks, at: str) -> None:
    """Refuses ends that a relation of this kind can't have."""
    titles = {"person": ("a person", "个人"), "company": ("a company", "企业")}
    for field, wanted, given in zip(("from_id", "to_id"), ENDS[kind], (from_kind, to_kind), strict=True):
        if wanted and wanted != given:
            en, zh = titles[wanted]
            checks.refuse(f"{at}.{field}", "RELATION_END", f"must be {en}", f"必须是{zh}")
