"""The steps from nothing to a running system, in order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from crm_cli.local import certificates, databases, environment, install, servers, waiting
from crm_cli.local.installation import ADMIN, Installation
from crm_cli.local.layout import CLUSTERS, PROCESSES, SERVICES
from crm_cli.local.program import Probe, Program
from crm_cli.local.report import Report, StepFailed

_SERVER_PATIENCE = 60.0  # seconds; recovery after a kill -9 takes some
_READY_PATIENCE = 90.0
_COMMAND_PATIENCE = 180.0


def start_servers(installation: Installation, report: Report) -> None:
    """PostgreSQL twice, RabbitMQ, Redis, until each lets us in. Raises StepFailed."""
    with report.step("Programs of the servers"):
        try:
            provided = servers.provide(installation.layout, installation.ports, installation.passwords)
        except install.Missing as error:
            raise StepFailed("programs of the servers", str(error), "then run this again") from None
        installation.know_servers(provided)
    with report.step("PostgreSQL (two clusters), RabbitMQ, Redis") as tell:
        installation.supervisor.add(provided.programs)
        probes = provided.probes | {program.name: program.probe for program in provided.programs}
        _await(installation, probes, _SERVER_PATIENCE, tell, "servers")


def prepare(installation: Installation, report: Report) -> None:
    """Databases, keys and certificates. Raises StepFailed."""
    with report.step("Databases and roles"):
        for cluster in CLUSTERS:
            known = installation.servers
            private = cluster in known.private_clusters
            databases.create(known.clusters[cluster], installation.databases(cluster), private)
    with report.step("Keys and certificates"):
        installation.write_keys()
        installation.write_admin_password()
        certificates.provide(installation.layout.tls, SERVICES)
    installation.publish(phase="servers")


def deploy(installation: Installation, report: Report) -> None:
    """Schemas, topology, first administrator, Envoy's files, then every process. Raises StepFailed."""
    with report.step("Schemas"):
        _for_each_service(installation, "store", ("upgrade",), "a migration failed; its SQL error is above")
    with report.step("Exchanges and queues"):
        advice = "if a queue exists with other arguments, `make reset` makes it anew"
        _for_each_service(installation, "events", ("declare",), advice)
    with report.step("First administrator, gateway's configuration"):
        password = str(installation.layout.admin_password)
        bootstrap = ("bootstrap", "--login", ADMIN, "--password-file", password)
        _run(installation, "gateway", "jobs", bootstrap, "the gateway service refused its first user")
        _run(installation, "gateway", "edge", ("render",), "the gateway could not write Envoy's files")
    with report.step("Services and gateway") as tell:
        programs = [*_processes(installation), _envoy(installation)]
        installation.supervisor.add(programs)
        probes: dict[str, Probe] = {program.name: program.probe for program in programs}
        info = installation.info
        probes["gateway"] = partial(waiting.healthy_gateway, info.gateway_url, Path(info.ca_file))
        _await(installation, probes, _READY_PATIENCE, tell, "services")
    installation.publish(phase="ready")


def _processes(installation: Installation) -> list[Program]:
    """Every process of every service."""
    layout, ports = installation.layout, installation.ports
    programs = []
    for service in installation.services:
        for process in PROCESSES:
            name = f"{service.name}.{process}"
            redis_url = installation.servers.redis_url
            address = f"127.0.0.1:{ports[name]}"
            programs.append(
                Program(
                    name=name,
                    command=(sys.executable, "-m", name),
                    environment=environment.of_service(layout, service, ports, redis_url, process),
                    log=layout.logs / f"{name}.log",
                    home=layout.folder,
                    ops=address,
                    probe=partial(waiting.ready_over_http, address),
                )
            )
    return programs


def _envoy(installation: Installation) -> Program:
    layout, ports = installation.layout, installation.ports
    return Program(
        name="envoy",
        command=(
            str(Path(sys.executable).parent / "envoy"), "-c", str(layout.edge / "bootstrap.json"),
            "--concurrency", "1", "--disable-hot-restart", "--drain-time-s", "2", "--log-level", "warning",
        ),
        environment=environment.base(),
        log=layout.logs / "envoy.log",
        kind="edge",
        home=layout.folder,
        ops=f"127.0.0.1:{ports['envoy-admin']}",
        probe=partial(waiting.answers, f"http://127.0.0.1:{ports['envoy-admin']}/ready"),
    )  # fmt: skip


def _for_each_service(installation: Installation, room: str, arguments: tuple[str, ...], advice: str) -> None:
    """Runs the same command of every service at the same time; raises the first failure."""
    with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
        waiting_for = [pool.submit(_run, installation, name, room, arguments, advice) for name in SERVICES]
        for one in waiting_for:
            one.result()


def _run(
    installation: Installation, service: str, room: str, arguments: tuple[str, ...], advice: str
) -> None:
    """One short command of a service, with the owner's rights; its output is its log."""
    layout = installation.layout
    step = f"{service}.{room} {' '.join(arguments[:1])}"
    log = layout.logs / f"{service}.{room}-{arguments[0]}.log"
    info = next(one for one in installation.services if one.name == service)
    variables = environment.of_service(layout, info, installation.ports, installation.servers.redis_url)
    with log.open("wb") as output:
        try:
            done = subprocess.run(
                [sys.executable, "-m", f"{service}.{room}", *arguments],
                env=variables,
                cwd=layout.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_COMMAND_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StepFailed(step, f"not done after {_COMMAND_PATIENCE:.0f} s", advice, log) from None
    if done.returncode:
        raise StepFailed(step, f"ended with exit code {done.returncode}", advice, log)


def _await(
    installation: Installation,
    probes: Mapping[str, Probe],
    seconds: float,
    tell: Callable[[str], None],
    what: str,
) -> None:
    """Waits for all; names the first that is not ready, with its log."""
    try:
        waiting.until_ready(probes, seconds, lambda missing: tell("waiting for " + ", ".join(missing)))
    except waiting.NotReady as error:
        log = None
        with suppress(KeyError):
            log = installation.supervisor.child(error.names[0]).program.log
        advice = f"all logs: {installation.layout.logs}; the same {what} are tried again by `make run`"
        raise StepFailed(f"{what} ready", str(error), advice, log) from None
