"""Somebody at their desk: calls by JSON."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import grpc

from crm_cli.client import Account, Gateway, Refused

# Seconds until what follows by events or jobs has followed.
SOON = 90.0


class Desk:
    def __init__(self, account: Account) -> None:
        self._gateway: Gateway = account.gateway
        self._account = account

    def get(self, path: str) -> dict[str, Any]:
        """The answer. Raises Refused."""
        return self._ask("GET", path, None)

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """The answer to a command, which gets a request id of its own. Raises Refused."""
        return self._ask("POST", path, {"requestId": str(uuid4()), **body})

    def create(self, path: str, **resource: object) -> dict[str, Any]:
        """The answer to a command whose body is the resource itself. Raises Refused."""
        return self._ask("POST", f"{path}?requestId={uuid4()}", resource)

    def patch(self, path: str, **resource: object) -> dict[str, Any]:
        """Changes the fields that are named. Raises Refused."""
        return self._ask("PATCH", f"{path}?requestId={uuid4()}", resource)

    def ask(self, path: str, **question: object) -> dict[str, Any]:
        """The answer to a question that stands in the body. Raises Refused."""
        return self._ask("POST", path, question)

    def put(self, path: str, **resource: object) -> dict[str, Any]:
        """Sets a resource. Raises Refused."""
        return self._ask("PUT", path, resource)

    def as_anybody(self, path: str, **body: object) -> dict[str, Any]:
        """The answer to a command that needs no account. Raises Refused."""
        return self._answer("POST", path, body, None)

    def _ask(self, verb: str, path: str, body: object) -> dict[str, Any]:
        return self._answer(verb, path, body, self._account.token())

    def _answer(self, verb: str, path: str, body: object, token: str | None) -> dict[str, Any]:
        answer = self._gateway.json(verb, path, body, token)
        found = answer.body or {}
        if answer.status != 200:
            reasons = [detail["reason"] for detail in found.get("details", ()) if "reason" in detail]
            code = grpc.StatusCode.UNKNOWN
            reason = reasons[0] if reasons else f"HTTP {answer.status}"
            raise Refused(code, reason, str(found.get("message", "")), f"{verb} {path.partition('?')[0]}")
        return found
