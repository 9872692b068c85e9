"""A private Redis that keeps nothing: it holds only what may vanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import redis

from crm_cli.local.files import write_private
from crm_cli.local.program import Program


@dataclass(frozen=True)
class RedisServer:
    """`binaries` is the folder of redis-server, `folder` where it stands."""

    binaries: Path
    folder: Path
    templates: Path  # deploy/local
    port: int
    password: str
    log: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def write_configuration(self) -> None:
        text = (self.templates / "redis.conf").read_text("utf-8")
        known = {"@PORT@": str(self.port), "@PASSWORD@": self.password, "@FOLDER@": str(self.folder)}
        for mark, value in known.items():
            text = text.replace(mark, value)
        write_private(self.folder / "redis.conf", text)

    def program(self) -> Program:
        return Program(
            name="redis",
            command=(str(self.binaries / "redis-server"), str(self.folder / "redis.conf")),
            environment=self.environment,
            log=self.log,
            kind="server",
            home=self.folder,
            probe=lambda: ask(self.url),
        )


def ask(url: str) -> str | None:
    """Whether a server answers there and lets us in."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
        return None
    except redis.RedisError as error:
        return str(error)
