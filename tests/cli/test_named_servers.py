"""An installation on servers that the environment names."""

from __future__ import annotations

import psycopg

from crm_cli.local.layout import SERVICES
from crm_cli.local.reset import forget
from crm_cli.local.stack import StackInfo
from tests.support.servers import virtual_host
from tests.support.stack import private_stack, shared_servers


def databases_of(info: StackInfo, server: str) -> set[str]:
    with psycopg.connect(info.server(server).url) as connection:
        return {name for (name,) in connection.execute("select datname from pg_database").fetchall()}


def test_named_servers_are_used_and_a_reset_takes_back_what_was_made_there() -> None:
    # Somebody else's servers. Their own databases of these names go too; no other test asks for them.
    host = shared_servers()
    with virtual_host() as amqp_url:
        named = {
            "CRM_POSTGRES_URL": host.server("postgres-main").url,
            "CRM_KEYRING_POSTGRES_URL": host.server("postgres-keyring").url,
            "CRM_RABBITMQ_URL": amqp_url,
            "CRM_REDIS_URL": host.server("redis").url,
            "CRM_SMTP_URL": host.server("mailbox").url,
        }
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
