"""Waiting until all of several probes are well."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crm_cli.local.program import Probe


class NotReady(Exception):
    """Somebody was not ready in time; `names` says who."""

    def __init__(self, unwell: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in unwell.items()))
        self.names = list(unwell)


def until_ready(probes: Mapping[str, Probe], seconds: float, tick: Callable[[list[str]], None]) -> None:
    """Asks those not yet well until all are; `tick` gets the names still missing. Raises NotReady."""
    deadline = time.monotonic() + seconds
    missing = dict(probes)
    with ThreadPoolExecutor(max_workers=max(1, min(8, len(missing)))) as pool:
        while missing:
            answers = dict(zip(missing, pool.map(lambda probe: probe(), missing.values()), strict=True))
            unwell = {name: reason for name, reason in answers.items() if reason is not None}
            missing = {name: missing[name] for name in unwell}
            tick(list(missing))
            if missing and time.monotonic() > deadline:
                raise NotReady(unwell)
            if missing:
                time.sleep(0.15)


def ready_over_http(address: str) -> str | None:
    """A probe of a process by its ops address, "host:port"."""
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=3):
            return None
    except urllib.error.HTTPError as error:
        return _unwell(error)
    except OSError as error:
        return f"does not answer ({getattr(error, 'reason', error)})"


def answers(url: str, context: ssl.SSLContext | None = None) -> str | None:
    """A probe of anything that answers 200 to a GET."""
    try:
        with urllib.request.urlopen(url, timeout=3, context=context):
            return None
    except urllib.error.HTTPError as error:
        return f"answers {error.code}"
    except OSError as error:
        return f"does not answer ({getattr(error, 'reason', error)})"


def healthy_gateway(url: str, ca_file: Path) -> str | None:
    """A probe of the whole way in: TLS, Envoy, a healthy server of each service."""
    return answers(f"{url}/healthz", ssl.create_default_context(cafile=str(ca_file)))


def _unwell(error: urllib.error.HTTPError) -> str:
    try:
        unwell: dict[str, str] = json.loads(error.read())["unwell"]
    except (ValueError, KeyError, OSError):
        return f"answers {error.code}"
    return "; ".join(f"{part}: {reason}" for part, reason in unwell.items()) or f"answers {error.code}"
