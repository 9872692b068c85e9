"""An installation on servers that the environment names."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg

from crm_cli.local import databases
from crm_cli.local.layout import CLUSTERS, SERVICES, Layout
from crm_cli.local.reset import forget
from crm_cli.local.stack import StackInfo
from tests.support.servers import virtual_host
from tests.support.stack import private_stack, shared_servers


def databases_of(info: StackInfo, server: str) -> set[str]:
    with psycopg.connect(info.server(server).url) as connection:
        return {name for (name,) in connection.execute("select datname from pg_database").fetchall()}


def servers_of(host: StackInfo, amqp_url: str) -> dict[str, str]:
    """The environment that names the servers of another installation."""
    return {
        "CRM_POSTGRES_URL": host.server("postgres-main").url,
        "CRM_KEYRING_POSTGRES_URL": host.server("postgres-keyring").url,
        "CRM_RABBITMQ_URL": amqp_url,
        "CRM_REDIS_URL": host.server("redis").url,
        "CRM_SMTP_URL": host.server("mailbox").url,
    }


def clear(host: StackInfo) -> None:
    """Leaves servers on which nobody has made anything."""
    mark = Layout.of(host.name).identity.read_text("utf-8")
    for cluster in CLUSTERS:
        made = [databases.of_service(service, cluster, lambda _: "") for service in SERVICES]
        assert databases.drop(host.server(f"postgres-{cluster}").url, made, mark) == []


def test_named_servers_are_used_and_a_reset_takes_back_what_was_made_there() -> None:
    with private_stack("test-host", only_servers=True) as host, virtual_host() as amqp_url:
        named = servers_of(host, amqp_url)
        clear(host)
        with private_stack("test-named", only_servers=True, environment=named) as info:
            assert info.processes == []
            assert {server.name for server in info.servers if server.private} == set()
            for service in info.services:
                assert service.amqp_url == amqp_url
                with psycopg.connect(service.database_url) as connection:
                    assert connection.execute("show search_path").fetchone() == ("app, jobs",)
                with psycopg.connect(service.keyring_url) as connection:
                    assert connection.execute("show search_path").fetchone() == ("app",)
        assert set(SERVICES) <= databases_of(host, "postgres-main")
        assert forget(info.name)
        assert not set(SERVICES) & databases_of(host, "postgres-main")
        assert not {f"keyring_{name}" for name in SERVICES} & databases_of(host, "postgres-keyring")


def test_databases_of_somebody_else_on_a_named_server_stop_the_installation_unharmed() -> None:
    host = shared_servers()
    theirs = host.service("customer")
    with virtual_host() as amqp_url:
        refused = subprocess.run(
            [sys.executable, "-m", "crm_cli", "run", "--only-servers", "--stack", "test-refused"],
            env={**os.environ, **servers_of(host, amqp_url)},
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
    assert refused.returncode == 1
    assert "there is a role 'gateway_owner' that this installation has not made" in refused.stdout
    assert "nothing was changed" in refused.stdout
    assert forget("test-refused")
    with psycopg.connect(theirs.database_owner_url) as owner, psycopg.connect(theirs.keyring_url) as app:
        assert owner.execute("select current_database()").fetchone() == ("customer",)
        assert app.execute("select current_database()").fetchone() == ("keyring_customer",)
