"""Groups through the gateway: a rule in words, and members that follow it by themselves."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from crm_cli.client import Account, Gateway, Session, wait_until

_SOON = 60.0  # seconds


@pytest.mark.feature("C-17")
def test_members_of_a_group_follow_value_preference_and_region(
    gateway: Gateway, erp: Account, admin: Session
) -> None:
    """In by region and preference, out by losing the tag, and never by region alone."""
    mark = uuid4().hex
    token = erp.token()
    kept, lost, plain = (
        _ask(gateway, "POST", "/v1/customers", token, _company(mark, tags))["id"]
        for tags in (["新品", mark], ["新品", mark], [mark])
    )
    body = {"name": f"群 {mark}", "expression": f'"{mark}" in tags && "新品" in tags && province == "上海"'}
    group = _ask(gateway, "POST", "/v1/groups", admin.account.token(), body)["id"]
    assert _once(gateway, admin, group, 2) == {kept, lost}
    _ask(gateway, "PATCH", f"/v1/customers/{lost}?updateMask=tags", token, {"tags": [mark]})
    assert _once(gateway, admin, group, 1) == {kept}
    preview = _ask(
        gateway, "POST", "/v1/groups:preview", admin.account.token(), {"expression": f'"{mark}" in tags'}
    )
    assert set(preview["sampleIds"]) == {kept, lost, plain}
    explained = _ask(gateway, "GET", f"/v1/groups/{group}/members/{plain}:explain", admin.account.token())
    assert "member" not in explained
    assert explained["inputs"]["province"] == "上海"


def _once(gateway: Gateway, admin: Session, group: str, count: int) -> set[str]:
    """The members when the group is ready and has so many."""

    def look() -> set[str] | None:
        token = admin.account.token()
        found = _ask(gateway, "GET", f"/v1/groups/{group}", token)
        if found["state"] != "GROUP_STATE_READY" or found.get("memberCount", 0) != count:
            return None
        members = _ask(gateway, "GET", f"/v1/groups/{group}/members", token)
        return {customer["id"] for customer in members.get("customers", ())}

    return wait_until(look, _SOON)


def _company(mark: str, tags: list[str]) -> dict[str, Any]:
    return {"company": {"name": f"群测试 {uuid4().hex}"}, "province": "上海", "tags": tags}


def _ask(gateway: Gateway, verb: str, path: str, token: str, body: object = None) -> dict[str, Any]:
    answer = gateway.json(verb, path, body, token)
    assert answer.status == 200, answer
    return answer.body or {}
