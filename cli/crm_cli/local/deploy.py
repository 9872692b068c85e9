"""The steps from nothing to a running system, in order."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from crm_cli.local import certificates, databases, environment, install, servers, signing_keys, waiting
from crm_cli.local.installation import ADMIN, Installation
from crm_cli.local.layout import CLUSTERS, SERVICES, process_names
from crm_cli.local.program import Probe, Program
from crm_cli.local.report import Report, StepFailed

_SERVER_PATIENCE = 60.0  # seconds; recovery after a kill -9 takes some
_READY_PATIENCE = 90.0
_COMMAND_PATIENCE = 180.0


def start_servers(installation: Installation, report: Report) -> None:
    """Starts PostgreSQL twice, RabbitMQ and Redis; waits for PostgreSQL only. Raises StepFailed."""
    with report.step("Programs of the servers") as tell:
        try:
            provided = servers.provide(installation.layout, installation.ports, installation.passwords, tell)
        except install.Missing as error:
            advice = "mend what the log says, network and disk first, then run this again"
            advice = advice if error.log else "then run this again"
            raise StepFailed("programs of the servers", str(error), advice, error.log) from None
        installation.know_servers(provided)
        installation.supervisor.add(provided.programs)
    with report.step("PostgreSQL, two clusters") as tell:
        clusters = {name: probe for name, probe in _server_probes(installation).items() if _is_cluster(name)}
        _await(installation, clusters, _SERVER_PATIENCE, tell, "servers")


def prepare(installation: Installation, report: Report) -> None:
    """Databases, keys and certificates. Raises StepFailed."""
    with report.step("Databases, keys, certificates"):
        for cluster in CLUSTERS:
            known = installation.servers
            private = cluster in known.private_clusters
            wanted = installation.databases(cluster)
            try:
                databases.create(known.clusters[cluster], wanted, installation.mark(), private)
            except databases.NotOurs as error:
                advice = "name another server, or have its owner rename or drop it; nothing was changed"
                raise StepFailed("databases", str(error), advice) from None
        installation.write_keys()
        installation.write_admin_password()
        certificates.provide(installation.layout.tls, SERVICES)


def await_servers(installation: Installation, report: Report) -> None:
    """Waits for the slower ones; they started while databases were made. Raises StepFailed."""
    with report.step("RabbitMQ and Redis") as tell:
        _await(installation, _server_probes(installation), _SERVER_PATIENCE, tell, "servers")


def deploy(installation: Installation, report: Report) -> None:
    """Schemas, topology, first administrator, Envoy's files, then every process. Raises StepFailed."""
    with report.step("Schemas"):
        advice = "a migration failed; its SQL error is above"
        commands = [Command(name, "store", ("upgrade",), advice) for name in SERVICES]
        # Needs no server; RabbitMQ is still starting.
        commands += [Command(name, "events", ("topology",), "see the error above") for name in SERVICES]
        _run_all(installation, commands)
        installation.publish(queues=_queues(installation))
    await_servers(installation, report)
    with report.step("Queues, first administrator, gateway's files"):
        signing_keys.pin(installation.layout, installation.services)
        _run_all(installation, _commands_before_start(installation))
    with report.step("Services and gateway") as tell:
        programs = [*_processes(installation), _envoy(installation)]
        # One port takes mail: its process is stopped before its successor starts, and senders try again.
        twins = [one for one in _processes(installation, second=True) if not one.name.endswith(".mail")]
        installation.supervisor.add(programs, twins)
        probes: dict[str, Probe] = {program.name: program.probe for program in programs}
        info = installation.info
        probes["gateway"] = partial(waiting.healthy_gateway, info.gateway_url, Path(info.ca_file))
        _await(installation, probes, _READY_PATIENCE, tell, "services")
    installation.publish(phase="ready")


def _server_probes(installation: Installation) -> dict[str, Probe]:
    known = installation.servers
    return known.probes | {program.name: program.probe for program in known.programs}


def _is_cluster(name: str) -> bool:
    return name.startswith("postgres-")


@dataclass(frozen=True)
class Command:
    """A short command of a service, python -m <service>.<room> <arguments>, and what to do when it fails."""

    service: str
    room: str
    arguments: tuple[str, ...]
    advice: str

    @property
    def title(self) -> str:
        return f"{self.service}.{self.room} {self.arguments[0]}"


def _commands_before_start(installation: Installation) -> list[Command]:
    """What needs schemas and broker, in any order."""
    queues = "if a queue exists with other arguments, `make reset` makes it anew"
    commands = [Command(name, "events", ("declare",), queues) for name in SERVICES]
    password = str(installation.layout.admin_password)
    first_user = ("bootstrap", "--login", ADMIN, "--password-file", password)
    commands.append(Command("gateway", "jobs", first_user, "the gateway refused its first user"))
    commands.append(Command("gateway", "edge", ("render",), "the gateway could not write Envoy's files"))
    return commands


def _queues(installation: Installation) -> list[str]:
    """The work queues, as each service just told them."""
    names = []
    for service in SERVICES:
        told = json.loads((installation.layout.logs / f"{service}.events-topology.log").read_text("utf-8"))
        names += [one["queue"] for one in told["subscriptions"]]
    return sorted(names)


def _processes(installation: Installation, second: bool = False) -> list[Program]:
    """Every process of every service; or the twins that take their places."""
    layout, ports = installation.layout, installation.ports
    programs = []
    for service in installation.services:
        for process in process_names(service.name):
            name = f"{service.name}.{process}"
            redis_url = installation.servers.redis_url
            given = environment.of_service(layout, service, ports, redis_url, process, second)
            address = given["CRM_OPS_ADDRESS"]
            programs.append(
                Program(
                    name=name,
                    command=(sys.executable, "-m", name),
                    environment=given,
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


def _run_all(installation: Installation, commands: list[Command]) -> None:
    """Runs commands at the same time; raises the first failure. None outlives this call."""
    running: list[subprocess.Popen[bytes]] = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        try:
            for one in [pool.submit(_run, installation, command, running) for command in commands]:
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            raise


def _run(installation: Installation, command: Command, running: list[subprocess.Popen[bytes]]) -> None:
    """One command, with the owner's rights; its output is its log. Notes its process in `running`."""
    log = _log_of(installation, command)
    with log.open("wb") as output:
        process = _start(installation, command, output)
        running.append(process)
        try:
            code = process.wait(_COMMAND_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            reason = f"not done after {_COMMAND_PATIENCE:.0f} s"
            raise StepFailed(command.title, reason, command.advice, log) from None
    if code:
        raise StepFailed(command.title, f"ended with exit code {code}", command.advice, log)


def _start(installation: Installation, command: Command, output: IO[bytes]) -> subprocess.Popen[bytes]:
    known = installation.servers
    info = next(one for one in installation.services if one.name == command.service)
    variables = environment.of_service(installation.layout, info, installation.ports, known.redis_url)
    if command.room == "events":
        # Exchanges and queues are made by the operator; services have no right to.
        variables["CRM_AMQP_URL"] = installation.info.server("rabbitmq").url
    return subprocess.Popen(
        [sys.executable, "-m", f"{command.service}.{command.room}", *command.arguments],
        env=variables,
        cwd=installation.layout.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _log_of(installation: Installation, command: Command) -> Path:
    return installation.layout.logs / f"{command.service}.{command.room}-{command.arguments[0]}.log"


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
