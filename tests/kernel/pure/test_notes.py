"""What is kept for good says nothing by which somebody could be reached."""

from __future__ import annotations

import pytest

from kernel.ops.logs import blot
from kernel.pure.errors import Checks
from kernel.pure.notes import check_impersonal


def refused(text: str) -> list[tuple[str, str]]:
    checks = Checks()
    check_impersonal("reason", text, checks)
    return [(one.field, one.rule) for one in checks.found]


@pytest.mark.parametrize(
    "text",
    [
        "客户来电13812345678要求回访",
        "called back +86 138 1234 5678",
        "手机１３８１２３４５６７８",
        "wrote from li.lei@example.com",
        "身份证11010519491231002X已核对",
    ],
)
def test_what_reaches_or_identifies_somebody_is_refused(text: str) -> None:
    assert refused(text) == [("reason", "PERSONAL_DATA")]


@pytest.mark.parametrize(
    "text",
    [
        "客户要求核对收货地址",
        "ticket T-1024, called back",
        "工单 20260630-1381234 的投诉",
        "request 01980a5e-7c00-7301-8a13-a13812345678",
        "合同 HT-000123，金额 120000.00 元",
    ],
)
def test_why_somebody_looked_may_be_said(text: str) -> None:
    assert refused(text) == []


def test_logs_blot_out_what_is_refused_here() -> None:
    assert blot("from li.lei@example.com at 13812345678") == "from [redacted] at [redacted]"
