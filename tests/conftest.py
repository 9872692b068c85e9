"""Servers and installations that tests of any folder may ask for; nothing starts before one does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from hypothesis import settings

from crm_cli.local import databases
from crm_cli.local.databases import Database
from crm_cli.local.stack import StackInfo
from tests.support.servers import setting, virtual_host
from tests.support.stack import private_stack

# What CI runs is the same for everybody; whoever develops looks farther with every run.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("developer", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "developer")

NewDatabase = Callable[..., Database]
# On the roles that tests make.
MARK = "made by tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that leave much behind come after those that look through everything; those that look at what
    others did in this run come last."""
    items.sort(key=lambda item: [item.get_closest_marker(mark) is not None for mark in ("last", "bulky")])


@pytest.fixture(scope="session")
def stack() -> Iterator[StackInfo]:
    """The whole running system, without the sample company, for all tests of the run."""
    with private_stack("test") as info:
        yield info


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[str, NewDatabase]]:
    """An administrator's URL and a maker of empty databases with both roles; they are dropped at the end."""
    url = setting("CRM_TEST_DATABASE_URL")
    made: list[Database] = []

    def make(schemas: tuple[str, ...] = ("app", "jobs")) -> Database:
        name = f"test_{uuid4().hex[:12]}"
        database = Database(name, f"{name}_owner", f"{name}_app", uuid4().hex, uuid4().hex, schemas)
        made.append(database)
        databases.create(url, [database], MARK, private=False)
        return database

    yield url, make
    databases.drop(url, made, MARK)


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    """A virtual host of this run's own, with the topology's policies."""
    with virtual_host() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> str:
    return setting("CRM_TEST_REDIS_URL")
