"""A private RabbitMQ node: users with least privilege and policies come from a definitions file at boot."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_cli.local.files import write_private
from crm_cli.local.layout import SERVICES
from crm_cli.local.program import Program
from kernel.bus.broker import BROKER_ERRORS, connect
from kernel.bus.topology import POLICIES, Policy

VHOST = "crm"
OPERATOR = "operator"


@dataclass(frozen=True)
class Broker:
    """A private node; `binaries` is the folder of rabbitmq-server, `folder` all it writes."""

    binaries: Path
    folder: Path
    templates: Path  # deploy/local
    node: str
    port: int
    epmd_port: int
    distribution_port: int
    password: Callable[[str], str]
    logs: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.url_of(OPERATOR)

    def url_of(self, user: str) -> str:
        return f"amqp://{user}:{self.password(f'rabbitmq:{user}')}@127.0.0.1:{self.port}/{VHOST}"

    def write_configuration(self) -> None:
        """rabbitmq.conf and the definitions it loads at each boot."""
        self.folder.mkdir(parents=True, exist_ok=True)
        template = (self.templates / "rabbitmq.conf").read_text("utf-8")
        definitions = self.folder / "definitions.json"
        configuration = template.replace("@PORT@", str(self.port)).replace("@DEFINITIONS@", str(definitions))
        (self.folder / "rabbitmq.conf").write_text(configuration, "utf-8")
        (self.folder / "enabled_plugins").write_text("[].\n", "utf-8")
        users = {name: self.password(f"rabbitmq:{name}") for name in (OPERATOR, *SERVICES)}
        write_private(definitions, json.dumps(definitions_for(users, POLICIES, VHOST), indent=1))

    def programs(self) -> list[Program]:
        """The node and its name server, which we run ourselves: it would survive the node otherwise."""
        epmd = Program(
            name="epmd",
            command=("epmd", "-port", str(self.epmd_port), "-address", "127.0.0.1"),
            environment=self.environment,
            log=self.logs / "epmd.log",
            kind="server",
        )
        node = Program(
            name="rabbitmq",
            command=(str(self.binaries / "rabbitmq-server"),),
            environment=self.node_environment(),
            log=self.logs / "rabbitmq.log",
            kind="server",
            probe=lambda: ask(self.url),
        )
        return [epmd, node]

    def control(self) -> list[str]:
        """The command line that manages the node."""
        variables = [f"{name}={value}" for name, value in self.node_environment().items()]
        return ["env", "-i", *variables, str(self.binaries / "rabbitmqctl")]

    def node_environment(self) -> dict[str, str]:
        """Also what rabbitmqctl needs to find the node."""
        return {
            **self.environment,
            "HOME": str(self.folder),  # the Erlang cookie is made there
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # Makes the start script become the Erlang VM, so that our signals reach it.
            "detached": "true",
        }


def definitions_for(users: Mapping[str, str], policies: Iterable[Policy], vhost: str) -> dict[str, Any]:
    """What the broker is to know: a user a service, what each may touch, and the policies."""
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            {
                "name": name,
                "password_hash": hash_password(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "administrator" if name == OPERATOR else "",
            }
            for name, password in users.items()
        ],
        "permissions": [{"user": name, "vhost": vhost, **permissions_of(name)} for name in users],
        "policies": [
            {
                "vhost": vhost,
                "name": policy.name,
                "pattern": policy.pattern,
                "apply-to": "queues",
                "priority": policy.priority,
                "definition": dict(policy.definition),
            }
            for policy in policies
        ],
    }


def permissions_of(user: str) -> dict[str, str]:
    """A service tells on its exchange and the shared one, hands on to its own queues what waits or is
    dead, and reads these. It makes nothing and binds nothing: the deploy step does, as the operator.
    """
    if user == OPERATOR:
        return {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "configure": "^$",
        "write": rf"^crm\.({user}|event|retry\.{user})$",
        "read": rf"^{user}\..*$",
    }


def hash_password(password: str) -> str:
    """RabbitMQ's own form: base64 of a 4-byte salt and sha256(salt + password). The salt is derived from the
    password, so that an unchanged definitions file stays unchanged; passwords are random and never shared."""
    salt = hashlib.sha256(b"salt:" + password.encode()).digest()[:4]
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def ask(url: str) -> str | None:
    """Whether a broker answers there and lets us in."""
    try:
        with connect(url):
            return None
    except BROKER_ERRORS as error:
        return str(error) or type(error).__name__
