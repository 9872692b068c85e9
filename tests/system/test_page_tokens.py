"""A page token continues its own query by its own caller, and opens nothing else."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen
from uuid import uuid4

import pytest

from crm.gateway.v1.directory_service_pb2 import CreateUserRequest, ListUsersRequest
from crm.gateway.v1.identity_pb2 import User
from crm_cli.client import Gateway, Session
from crm_cli.local.stack import StackInfo


@pytest.fixture(scope="module")
def somebody(gateway: Gateway, admin: Session) -> Session:
    """Another administrator, so that there are two users at least."""
    login, password = f"pages-{uuid4().hex[:8]}", uuid4().hex
    request = CreateUserRequest(user=User(login=login, role_ids=["admin"]), password=password)
    admin.call(admin.directory.CreateUser, request)
    return gateway.password_account(login, password).session()


@pytest.fixture(scope="module")
def page_token(admin: Session, somebody: Session) -> str:
    """Of the administrator's list of all users."""
    return str(admin.call(admin.directory.ListUsers, ListUsersRequest(page_size=1)).next_page_token)


def _lists(stack: StackInfo) -> list[tuple[str, list[str]]]:
    """The addresses of every list that needs no id, with the parameters that it must have."""
    trusting = ssl.create_default_context(cafile=str(Path(stack.ca_file)))
    with urlopen(f"{stack.gateway_url}/openapi.json", context=trusting, timeout=10) as answer:
        paths = json.load(answer)["paths"]
    return [
        (path, [one["name"] for one in verbs["get"]["parameters"] if one["required"]])
        for path, verbs in paths.items()
        if "get" in verbs
        and "{" not in path
        and "pageToken" in {one["name"] for one in verbs["get"]["parameters"]}
    ]


def _violations(gateway: Gateway, caller: Session, path: str, **query: str) -> list[tuple[str, str]]:
    answer = gateway.json("GET", f"{path}?{urlencode(query)}", token=caller.account.token())
    details: list[Any] = (answer.body or {}).get("details", [])
    return [(v["field"], v["reason"]) for one in details for v in one.get("fieldViolations", [])]


REFUSED = [("page_token", "PAGE_TOKEN")]


def test_it_continues_its_own_query(gateway: Gateway, admin: Session, page_token: str) -> None:
    assert gateway.json("GET", f"/v1/users?pageToken={page_token}", token=admin.account.token()).status == 200


def test_it_continues_no_other_list(
    stack: StackInfo, gateway: Gateway, admin: Session, page_token: str
) -> None:
    others = [path for path, required in _lists(stack) if path != "/v1/users" and not required]
    assert len(others) >= 3
    answered = {path: _violations(gateway, admin, path, pageToken=page_token) for path in others}
    assert answered == dict.fromkeys(others, REFUSED)


def test_it_continues_no_other_query(gateway: Gateway, admin: Session, page_token: str) -> None:
    assert _violations(gateway, admin, "/v1/users", pageToken=page_token, login="admin") == REFUSED


def test_it_serves_nobody_else(gateway: Gateway, somebody: Session, page_token: str) -> None:
    assert _violations(gateway, somebody, "/v1/users", pageToken=page_token) == REFUSED
