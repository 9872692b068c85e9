"""Free ports, remembered so that a restart keeps its addresses."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

from crm_cli.local.files import write_private

# Below the range Linux takes outgoing connections from, so that a port stays free while its server restarts.
_FIRST, _LAST = 20_000, 32_000


def choose(path: Path, names: list[str], preferred: dict[str, int]) -> dict[str, int]:
    """A free port of 127.0.0.1 for each name: the remembered one, else the preferred one, else any.

    All of them are held open together while choosing, so no two names get the same.
    """
    remembered: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    chosen: dict[str, int] = {}
    held: list[socket.socket] = []
    try:
        for name in names:
            wished = [port for port in (remembered.get(name), preferred.get(name)) if port]
            held.append(_first_free(wished))
            chosen[name] = held[-1].getsockname()[1]
    finally:
        for one in held:
            one.close()
    write_private(path, json.dumps({**remembered, **chosen}, indent=1))
    return chosen


def is_listening(port: int) -> bool:
    """Whether something answers there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _first_free(wished: list[int]) -> socket.socket:
    generator = random.SystemRandom()
    for port in [*wished, *(generator.randint(_FIRST, _LAST) for _ in range(200))]:
        holder = socket.socket()
        # As servers do: connections of the previous run that linger in TIME_WAIT don't count.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
            holder.listen(1)
        except OSError:
            holder.close()
            continue
        return holder
    raise OSError(f"no free port between {_FIRST} and {_LAST}")
