"""No JSON call breaks a service: what the OpenAPI document allows, and what it does not.

CRM_FUZZ_SECONDS says how long the test looks; `make fuzz SECONDS=60` looks longer.
"""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.request
from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from crm_cli.client import Session
from crm_cli.local.stack import StackInfo
from tests.security.callers import hire

SECONDS = float(os.environ.get("CRM_FUZZ_SECONDS", "15"))
_ROUND = 50
_DEADLINE = 20.0
_SIGNED_OUT, _OF_THE_SERVER = 401, 500

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.fixture(scope="module")
def operations(stack: StackInfo) -> list[Any]:
    """All operations of the OpenAPI document."""
    context = ssl.create_default_context(cafile=stack.ca_file)
    with urllib.request.urlopen(f"{stack.gateway_url}/openapi.json", context=context) as answer:
        schema = schemathesis.openapi.from_dict(json.load(answer))
    return [result.ok() for result in schema.get_all_operations()]


def test_no_json_call_breaks_a_service(stack: StackInfo, admin: Session, operations: list[Any]) -> None:
    member = hire(admin, "admin")
    headers = {"authorization": f"Bearer {member.sign_in()}"}
    calls = st.sampled_from(operations).flatmap(
        lambda one: st.one_of(*(one.as_strategy(generation_mode=mode) for mode in GenerationMode))
    )
    codes: Counter[int] = Counter()
    wrong: dict[str, str] = {}
    ends, number = time.monotonic() + SECONDS, 0
    with requests.Session() as connection:
        while time.monotonic() < ends:
            number += 1

            @seed(number)
            @settings(max_examples=_ROUND, database=None, suppress_health_check=list(HealthCheck))
            @given(calls)
            def a_round(case: Any) -> None:
                if time.monotonic() > ends:
                    return
                answer = case.call(
                    base_url=stack.gateway_url,
                    session=connection,
                    headers=headers,
                    verify=stack.ca_file,
                    timeout=_DEADLINE,
                )
                codes[answer.status_code] += 1
                if answer.status_code == _SIGNED_OUT:
                    headers["authorization"] = f"Bearer {member.sign_in()}"
                if answer.status_code >= _OF_THE_SERVER:
                    wrong[case.operation.label] = f"{answer.text[:300]}\n{case.as_curl_command()[:1_000]}"

            a_round()
    assert not wrong, "\n".join(f"{label}: {told}" for label, told in wrong.items())
    assert codes[200], f"no call was a good one: {codes}"
