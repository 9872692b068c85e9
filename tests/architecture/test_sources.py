"""Habits that a syntax tree can show. Each rule has a planted offence, so that it is known to bite."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.house import CLI, KERNEL, ROOT, SERVICES, name, production, python, tree

Rule = Callable[[ast.AST], Iterator[rules.Finding]]


def offences(rule: Rule, files: Iterable[Path]) -> list[str]:
    return [f"{name(path)}:{line} {what}" for path in files for line, what in rule(tree(path))]


def report(rule: Rule, found: list[str]) -> str:
    return "\n".join([str(rule.__doc__), *found])


def test_only_settings_read_the_environment() -> None:
    allowed = {KERNEL / "ops/settings.py", *(folder / "config.py" for folder in SERVICES.values())}
    allowed |= {folder / "edge/settings.py" for folder in SERVICES.values()}
    # psycopg is told by the environment that it lives under eventlet, before anything is imported.
    allowed.add(KERNEL / "bus/green.py")
    # pypinyin in the same way, which of its dictionaries to leave out.
    allowed.add(KERNEL / "pure/text/pinyin.py")
    # The command starts servers and processes, and hands their environment on.
    files = [path for path in production() if path not in allowed and CLI / "local" not in path.parents]
    found = offences(rules.environment, files)
    assert not found, report(rules.environment, found)


def test_only_doors_commit() -> None:
    files = [
        path
        for folder in SERVICES.values()
        for path in python(folder)
        if "migrations" not in path.parts and (path.parent.name, path.name) != ("store", "__main__.py")
    ]
    found = offences(rules.commits, files)
    assert not found, report(rules.commits, found)


def test_events_and_what_they_share_import_no_grpc_stub() -> None:
    rooms = ("domain", "usecases", "store", "events")
    files = [path for folder in SERVICES.values() for room in rooms for path in python(folder / room)]
    files += [path for room in ("pure", "sql", "bus", "ops") for path in python(KERNEL / room)]
    found = offences(rules.stub_imports, files)
    assert not found, report(rules.stub_imports, found)


def test_metrics_stand_in_a_catalogue() -> None:
    catalogues = {KERNEL / "ops/metrics.py", *(folder / "metrics.py" for folder in SERVICES.values())}
    found = offences(rules.undeclared_metrics, [path for path in production() if path not in catalogues])
    assert not found, report(rules.undeclared_metrics, found)


@pytest.mark.parametrize("rule", [rules.bodies_logged, rules.spliced_sql, rules.unfinished])
def test_habits_of_production_code(rule: Rule) -> None:
    found = offences(rule, production())
    assert not found, report(rule, found)


# What only exists for Node is skipped, and says so, where there is no npm.
_MAY_SKIP = ROOT / "tests/support/npm.py"


def test_no_test_is_emptied() -> None:
    found = offences(rules.emptied_tests, [path for path in python(ROOT / "tests") if path != _MAY_SKIP])
    assert not found, report(rules.emptied_tests, found)


PLANTED = [
    (rules.environment, "import os\nurl = os.environ['CRM_DATABASE_URL']"),
    (rules.environment, "from os import getenv"),
    (rules.environment, "from pydantic_settings import BaseSettings"),
    (rules.commits, "def use(work):\n    work.session.commit()"),
    (rules.commits, "with app.engine.begin() as connection: ..."),
    (rules.bodies_logged, "log.info('stored', request=request)"),
    (rules.bodies_logged, "log.info(f'stored {customer}')"),
    (rules.bodies_logged, "logger.warning('refused', **facts)"),
    (rules.stub_imports, "from crm.sales.v1 import order_service_pb2_grpc"),
    (rules.undeclared_metrics, "from prometheus_client import Counter"),
    (rules.spliced_sql, "query = f\"select id from customers where name = '{name}'\""),
    (rules.unfinished, "def later():\n    raise NotImplementedError('soon')"),
    (rules.unfinished, "def later():\n    pass"),
    (rules.emptied_tests, "def test_merging_keeps_consent():\n    merge()"),
    (rules.emptied_tests, "def test_merging_keeps_consent():\n    assert True"),
    (rules.emptied_tests, "@pytest.mark.skip\ndef test_x():\n    assert merge()"),
]


@pytest.mark.parametrize(("rule", "source"), PLANTED)
def test_each_rule_finds_a_planted_offence(rule: Rule, source: str) -> None:
    assert list(rule(ast.parse(source)))


LAWFUL = [
    (rules.commits, "def use(work):\n    work.customers.add(customer)"),
    (rules.bodies_logged, "log.info('customers created', count=len(customers), actor=principal.id)"),
    (rules.bodies_logged, "log.info('seal broken', row=str(row_id))"),
    (rules.spliced_sql, "query = f'select {COLUMNS} from customers where id = %(id)s'"),
    (rules.spliced_sql, "rows, values = predicate(me, 'x', 'owner')\nq = f'select id from t where {rows}'"),
    (rules.unfinished, "class Port(Protocol):\n    def add(self) -> None: ..."),
    (rules.emptied_tests, "def test_x():\n    with pytest.raises(ValueError):\n        merge()"),
]


@pytest.mark.parametrize(("rule", "source"), LAWFUL)
def test_each_rule_lets_the_habit_pass(rule: Rule, source: str) -> None:
    assert not list(rule(ast.parse(source)))
