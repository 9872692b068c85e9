"""The columns a file may have, and what they are called in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from customer.domain.classification import SCHEMES
from kernel.pure.errors import Checks

MOST_FIELDS = 50


@dataclass(frozen=True)
class Field:
    """A field by its name, "person.phones", and its titles. `personal`: of a natural person, sealed."""

    name: str
    zh: str
    en: str

    @property
    def personal(self) -> bool:
        return self.name.startswith("person.")


# What the caller's system calls a customer: only where a source is named.
EXTERNAL_ID = "external_id"
# Titles are words that an import takes for the same fields.
_CALLED = {
    "id": ("系统编号", "System id"),
    "kind": ("客户类型", "Kind"),
    EXTERNAL_ID: ("客户编号", "Customer id"),
    "person.full_name": ("姓名", "Full name"),
    "person.phones": ("手机", "Mobile"),
    "person.emails": ("邮箱", "Email"),
    "person.street_address": ("详细地址", "Street address"),
    "person.birth_date": ("出生日期", "Date of birth"),
    "person.identity_number": ("证件号码", "Identity number"),
    "company.name": ("企业名称", "Company"),
    "company.credit_code": ("统一社会信用代码", "Credit code"),
    "company.phones": ("企业电话", "Company phones"),
    "company.emails": ("企业邮箱", "Company emails"),
    "company.registered_address": ("注册地址", "Registered address"),
    "company.size": ("企业规模", "Company size"),
    "industry": ("所属行业", "Industry"),
    "source_channel": ("来源渠道", "Source channel"),
    "province": ("省份", "Province"),
    "city": ("城市", "City"),
    "tags": ("标签", "Tags"),
    **{f"class.{scheme}": (f"分级 {scheme}", f"Class {scheme}") for scheme in SCHEMES},
    "external_ids": ("各系统编号", "External ids"),
    "owner_id": ("负责人", "Owner"),
    "collaborator_ids": ("协作人", "Collaborators"),
    "create_time": ("创建时间", "Created"),
    "update_time": ("更新时间", "Updated"),
}
BY_NAME = {name: Field(name, *titles) for name, titles in _CALLED.items()}


def chosen(names: Sequence[str], source: str, checks: Checks) -> tuple[str, ...]:
    """The names of the columns to write: those asked for, or all. Refuses unknown and repeated ones."""
    if not names:
        return tuple(name for name in BY_NAME if source or name != EXTERNAL_ID)
    if len(names) > MOST_FIELDS:
        checks.refuse(
            "fields", "TOO_MANY", f"must have at most {MOST_FIELDS} entries", f"最多 {MOST_FIELDS} 项"
        )
        return ()
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name not in BY_NAME:
            checks.refuse(
                f"fields[{index}]",
                "UNKNOWN_FIELD",
                "must be a field that can be exported",
                "必须是可导出的字段",
            )
        elif name in seen:
            checks.refuse(f"fields[{index}]", "REPEATED", "must stand here once", "不能重复")
        elif name == EXTERNAL_ID and not source:
            checks.refuse("source", "REQUIRED", "must say whose ids to write", "必须指明编号所属系统")
        seen.add(name)
    return tuple(names)


def titles(names: Sequence[str], language: str) -> list[str]:
    """What people call the columns, in "zh" or "en"."""
    return [getattr(BY_NAME[name], language) for name in names]
