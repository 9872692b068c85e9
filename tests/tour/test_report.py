"""What the tour prints."""

from __future__ import annotations

import io
import json

import grpc
import pytest
from rich.console import Console

from crm_cli.client import Refused
from crm_cli.tour.report import Report


@pytest.fixture
def report() -> Report:
    return Report(Console(file=io.StringIO(), width=160), quiet=True)


def refuse() -> None:
    raise Refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", "no", "BatchUpsertOrders")


def printed(report: Report) -> str:
    report.console.print(report.as_table())
    stream = report.console.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_a_step_is_right_when_what_came_out_is_what_was_expected(report: Report) -> None:
    with report.drawing(), report.step("spend tiers", 6) as step:
        step.tick(6)
        step.result(6, {"core": 5, "basic": 1}, {"basic": 1, "core": 5})
    assert report.ok
    told = json.loads(report.as_json())
    assert told["ok"] is True
    [only] = told["steps"]
    assert set(only) == {"name", "count", "seconds", "expected", "actual", "ok"}
    assert only["name"] == "spend tiers"
    assert only["expected"] == only["actual"] == {"core": 5, "basic": 1}


def test_a_step_with_another_figure_is_wrong_and_the_table_shows_both(report: Report) -> None:
    with report.drawing():
        with report.step("orders", 6919) as step:
            step.result(6918, {"accepted": 6919}, {"accepted": 6918})
        with report.step("sign in", 1) as step:
            step.result(1, "admin", "admin")
    assert not report.ok
    assert report.failed()
    table = printed(report)
    assert "expected 6,919 accepted" in table
    assert "got 6,918 accepted" in table


def test_a_limit_that_was_kept_is_right_though_the_values_differ(report: Report) -> None:
    with report.drawing(), report.step("freshness", 200) as step:
        step.result(200, "p99 within 1 s", "p99 0.040 s", ok=True)
    assert report.ok


def test_a_refused_call_makes_a_failed_step_and_the_report_goes_on(report: Report) -> None:
    with report.drawing():
        with report.step("orders", 1):
            refuse()
        with report.step("next", 1) as step:
            step.result(1, "x", "x")
    assert [step.ok for step in report.steps] == [False, True]
    assert "PERMISSION_DENIED" in str(report.steps[0].actual)


def test_a_step_without_result_is_no_success(report: Report) -> None:
    with report.drawing(), report.step("customers", 1) as step:
        step.tick(1)
    assert not report.ok


def test_a_report_without_steps_is_no_success(report: Report) -> None:
    assert not report.ok
