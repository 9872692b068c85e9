"""Databases and virtual hosts of a test's own, on real servers: those the environment names, else private.

CRM_TEST_DATABASE_URL   superuser's URL of a PostgreSQL server on which tests may make databases
CRM_TEST_AMQP_URL       an administrator's URL of a RabbitMQ server, without a virtual host
CRM_TEST_RABBITMQCTL    the command line that manages that server, split like a shell would
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import secrets
import shlex
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from kernel.bus.topology import POLICIES
from kernel.ops.settings import Settings
from tests.support.stack import server_variables


def setting(name: str) -> str:
    """A variable of the environment; when it is missing, of the private servers started for this run."""
    return os.environ.get(name) or server_variables()[name]


@contextmanager
def database(
    ddl: tuple[str, ...] = ("0001_kernel", "0002_jobs", "0003_privacy", "0004_answers"),
) -> Iterator[str]:
    """The URL of a new database with the kernel's tables; dropped at the end."""
    server = setting("CRM_TEST_DATABASE_URL")
    name = f"test_{uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(identifier))
        connection.execute(sql.SQL("alter database {} set search_path = app, jobs").format(identifier))
    # A URL, not key=value pairs: SQLAlchemy reads it too.
    url = f"{server.rsplit('/', 1)[0]}/{name}"
    try:
        with psycopg.connect(url) as connection:
            connection.execute("create schema app")
            connection.execute("create schema jobs")
            for file in ddl:
                text = resources.files("kernel.sql").joinpath("ddl", f"{file}.sql").read_text("utf-8")
                connection.execute(text.encode())
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(identifier))


@contextmanager
def virtual_host(milliseconds: Mapping[str, int] | None = None) -> Iterator[str]:
    """The URL of a new virtual host with the policies of the topology; deleted at the end.

    `milliseconds` shortens the waits of retry queues, by delay ("1s").
    """
    server = setting("CRM_TEST_AMQP_URL")
    name = f"test-{uuid4().hex[:12]}"
    user = server.split("://", 1)[1].split(":", 1)[0]
    policies = []
    for policy in POLICIES:
        definition = dict(policy.definition)
        for delay, wait in (milliseconds or {}).items():
            if policy.name == f"crm-retry-{delay}":
                definition["message-ttl"] = wait
        policies.append(
            {
                "vhost": name,
                "name": policy.name,
                "pattern": policy.pattern,
                "apply-to": "queues",
                "priority": policy.priority,
                "definition": definition,
            }
        )
    allowed = {"user": user, "vhost": name, "configure": ".*", "write": ".*", "read": ".*"}
    definitions = {"vhosts": [{"name": name}], "permissions": [allowed], "policies": policies}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(definitions, file)
        file.flush()
        # The server reads it too, under another user perhaps.
        Path(file.name).chmod(0o644)
        _rabbitmqctl("import_definitions", file.name)
    try:
        yield f"{server.rstrip('/')}/{name}"
    finally:
        _rabbitmqctl("delete_vhost", name)


def settings(database_url: str, amqp_url: str | None = None, **more: Any) -> Settings:
    """Settings of a process that asks nothing of a keyring."""
    return Settings(
        database_url=database_url,
        keyring_url="postgresql://unused.invalid/keyring",
        kek_file=kek_file(),
        amqp_url=amqp_url,
        **more,
    )


def environment(database_url: str, amqp_url: str, **more: str) -> dict[str, str]:
    """The environment of a process that asks nothing of a keyring."""
    return {
        **os.environ,
        "CRM_DATABASE_URL": database_url,
        "CRM_KEYRING_URL": "postgresql://unused.invalid/keyring",
        "CRM_KEK_FILE": str(kek_file()),
        "CRM_AMQP_URL": amqp_url,
        **more,
    }


@contextmanager
def away(database_url: str) -> Iterator[None]:
    """Inside, the database can't be reached: who was connected is thrown out, nobody gets in."""
    server, name = setting("CRM_TEST_DATABASE_URL"), database_url.rsplit("/", 1)[1]
    allow = sql.SQL("alter database {} allow_connections {}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
        )
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def cut_connections(amqp_url: str) -> None:
    """Ends every connection to a virtual host, as a broker does that is restarted."""
    name = amqp_url.rsplit("/", 1)[1]
    _rabbitmqctl("close_all_connections", "--vhost", name, "cut by a test")


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def kek_file() -> Path:
    """A file with a random key-encryption key, for this run."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "kek.json"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    path.write_text(json.dumps({"active": "1", "keys": {"1": key}}), "utf-8")
    return path


def eventually(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits until `holds` answers something true; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {seconds} s"
        time.sleep(0.05)


def _rabbitmqctl(*arguments: str) -> None:
    command = [*shlex.split(setting("CRM_TEST_RABBITMQCTL")), "--quiet", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
