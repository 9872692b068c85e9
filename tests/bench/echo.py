"""The limit of all calls: a server that answers what it was sent, bare and behind the gateway's Envoy."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc

from crm_cli.local.layout import Layout
from crm_cli.local.stack import ServiceInfo, StackInfo
from gateway.edge.files import discovery, write_json

METHOD = "/bench.Echo/Echo"
BODY = bytes(200)
_THREADS = 16
# The method whose route is copied: its caller must hold a permission, as all ours do.
_LIKE = "crm.customer.v1.CustomerService/GetCustomer"


@dataclass(frozen=True)
class Echo:
    pid: int
    # Without TLS.
    address: str


@contextmanager
def echo(info: StackInfo) -> Iterator[Echo]:
    """The server in a process of its own, also reachable through the gateway as METHOD."""
    customer = info.service("customer")
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(
        target=_serve, args=(theirs, customer, Layout.of(info.name).tls / "ca.pem"), daemon=True
    )
    process.start()
    try:
        bare, sealed = ours.recv()
        _route(Layout.of(info.name).edge, sealed)
        yield Echo(process.pid or 0, f"127.0.0.1:{bare}")
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection, service: ServiceInfo, ca: Path) -> None:
    server = grpc.server(ThreadPoolExecutor(_THREADS))
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
    pair = (Path(service.tls_key).read_bytes(), Path(service.tls_cert).read_bytes())
    credentials = grpc.ssl_server_credentials([pair], ca.read_bytes(), require_client_auth=True)
    pipe.send((server.add_insecure_port("127.0.0.1:0"), server.add_secure_port("127.0.0.1:0", credentials)))
    server.start()
    server.wait_for_termination()


def _route(edge: Path, port: int) -> None:
    """Adds the server to Envoy's files, with all that stands in front of a method of ours."""
    clusters = json.loads((edge / "clusters.json").read_text("utf-8"))
    cluster = deepcopy(next(one for one in clusters["resources"] if one["name"] == "customer"))
    cluster |= {"name": "echo", "health_checks": []}
    assignment = cluster["load_assignment"]
    assignment["cluster_name"] = "echo"
    [endpoint] = assignment["endpoints"][0]["lb_endpoints"][:1]
    endpoint["endpoint"]["address"]["socket_address"]["port_value"] = port
    assignment["endpoints"][0]["lb_endpoints"] = [endpoint]
    others = [one for one in clusters["resources"] if one["name"] != "echo"]
    write_json(edge / "clusters.json", discovery([*others, cluster]))

    configuration = json.loads((edge / "routes.json").read_text("utf-8"))
    routes: list[Any] = configuration["resources"][0]["virtual_hosts"][0]["routes"]
    route = deepcopy(next(one for one in routes if one["name"] == _LIKE))
    route["name"] = METHOD
    route["match"]["path"] = METHOD
    route["route"]["cluster"] = "echo"
    routes[:] = [route, *(one for one in routes if one["name"] != METHOD)]
    write_json(edge / "routes.json", discovery(configuration["resources"]))
