"""The servers of an installation: those the environment names, else private ones of our own.

CRM_POSTGRES_URL          postgresql:// of a superuser on the cluster for the databases
CRM_KEYRING_POSTGRES_URL  the same on the cluster for the keyrings; must be another one
CRM_RABBITMQ_URL          amqp:// of a user who may do everything in its virtual host, for all.
                          Its policies are for its administrator to set: kernel.bus.topology has them
CRM_REDIS_URL             redis://
CRM_SMTP_URL              smtp:// or smtps:// of a mail server; without it mails become files
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from crm_cli.local import environment, install, mailbox, postgres, rabbitmq, redis_server
from crm_cli.local.files import Passwords
from crm_cli.local.layout import CLUSTERS, SERVICES, Layout
from crm_cli.local.program import Probe, Program
from crm_cli.local.stack import ServerInfo

_Found = Mapping[install.Need, Path]
_NAMED_CLUSTERS = {"main": "CRM_POSTGRES_URL", "keyring": "CRM_KEYRING_POSTGRES_URL"}


@dataclass
class Servers:
    """Addresses with administrator's rights, what must be started for them, and how to ask each."""

    clusters: dict[str, str] = field(default_factory=dict)
    private_clusters: set[str] = field(default_factory=set)
    amqp_of: dict[str, str] = field(default_factory=dict)  # service -> URL
    redis_url: str = ""
    programs: list[Program] = field(default_factory=list)
    rabbitmqctl: list[str] = field(default_factory=list)
    infos: list[ServerInfo] = field(default_factory=list)
    probes: dict[str, Probe] = field(default_factory=dict)


def provide(
    layout: Layout, ports: Mapping[str, int], passwords: Passwords, tell: Callable[[str], None]
) -> Servers:
    """Finds or installs the programs and prepares their folders; starts nothing.

    `tell` hears how far it is. Raises install.Missing or StepFailed.
    """
    needs = _needs()
    layout.logs.mkdir(parents=True, exist_ok=True)
    found = install.provide(needs, layout.logs / "install.log", tell)
    servers = Servers()
    _add_clusters(servers, layout, ports, passwords, found)
    _add_broker(servers, layout, ports, passwords, found)
    _add_redis(servers, layout, ports, passwords, found)
    _add_mailbox(servers, layout, ports)
    return servers


def named(variable: str) -> str | None:
    """A server the user's environment names."""
    return os.environ.get(variable) or None


def _needs() -> list[install.Need]:
    wanted = {
        install.POSTGRES: all(map(named, _NAMED_CLUSTERS.values())),
        install.RABBITMQ: named("CRM_RABBITMQ_URL"),
        install.REDIS: named("CRM_REDIS_URL"),
        install.FONTS: None,
    }
    return [need for need, given in wanted.items() if not given]


def _add_clusters(
    servers: Servers,
    layout: Layout,
    ports: Mapping[str, int],
    passwords: Passwords,
    found: Mapping[install.Need, Path],
) -> None:
    for name in CLUSTERS:
        if url := named(_NAMED_CLUSTERS[name]):
            _note(servers, f"postgres-{name}", url, False, partial(postgres.ask, url))
            servers.clusters[name] = url
            continue
        cluster = postgres.Cluster(
            name=name,
            binaries=found[install.POSTGRES],
            data=postgres.data_folder(layout) / name,
            port=ports[f"postgres-{name}"],
            password=passwords.get(f"postgres-{name}:postgres"),
            log=layout.logs / f"postgres-{name}.log",
            environment=environment.base(),
        )
        cluster.create()
        servers.clusters[name] = cluster.url
        servers.private_clusters.add(name)
        _note(servers, f"postgres-{name}", cluster.url, True, None)
        servers.programs.append(cluster.program())


def _add_broker(
    servers: Servers,
    layout: Layout,
    ports: Mapping[str, int],
    passwords: Passwords,
    found: Mapping[install.Need, Path],
) -> None:
    if url := named("CRM_RABBITMQ_URL"):
        servers.amqp_of = dict.fromkeys(SERVICES, url)
        _note(servers, "rabbitmq", url, False, partial(rabbitmq.ask, url))
        return
    broker = rabbitmq.Broker(
        binaries=found[install.RABBITMQ],
        folder=layout.rabbitmq,
        templates=environment.templates(layout),
        node=f"crm-{layout.key}@localhost",
        port=ports["rabbitmq"],
        epmd_port=ports["epmd"],
        distribution_port=ports["erlang"],
        password=passwords.get,
        logs=layout.logs,
        environment=environment.base(),
    )
    broker.write_configuration()
    servers.rabbitmqctl = broker.control()
    servers.amqp_of = {service: broker.url_of(service) for service in SERVICES}
    _note(servers, "rabbitmq", broker.url, True, None)
    servers.programs += broker.programs()


def _add_redis(
    servers: Servers,
    layout: Layout,
    ports: Mapping[str, int],
    passwords: Passwords,
    found: Mapping[install.Need, Path],
) -> None:
    if url := named("CRM_REDIS_URL"):
        servers.redis_url = url
        _note(servers, "redis", url, False, partial(redis_server.ask, url))
        return
    server = redis_server.RedisServer(
        binaries=found[install.REDIS],
        folder=layout.folder / "redis",
        templates=environment.templates(layout),
        port=ports["redis"],
        password=passwords.get("redis"),
        log=layout.logs / "redis.log",
        environment=environment.base(),
    )
    server.write_configuration()
    servers.redis_url = server.url
    _note(servers, "redis", server.url, True, None)
    servers.programs.append(server.program())


def _add_mailbox(servers: Servers, layout: Layout, ports: Mapping[str, int]) -> None:
    if url := named("CRM_SMTP_URL"):
        _note(servers, "mailbox", url, False, partial(mailbox.ask, url))
        return
    _note(servers, "mailbox", environment.smtp_url(ports), True, None)
    folder, log = layout.mailbox, layout.logs / "mailbox.log"
    servers.programs.append(mailbox.program(folder, ports["mailbox"], environment.base(), log))


def _note(servers: Servers, name: str, url: str, private: bool, probe: Probe | None) -> None:
    servers.infos.append(ServerInfo(name, url, private))
    if probe:
        servers.probes[name] = probe
