"""A service with all its threads at work still says that it is well."""

from __future__ import annotations

import threading

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import crm.customer.v1.customer_service_pb2  # noqa: F401 - METHODS are found by name
from kernel.rpc.admission import Admission, Entrance
from kernel.rpc.methods import methods_of, service_descriptor
from kernel.rpc.server import Health

[COMMAND] = [
    method
    for method in methods_of(service_descriptor("crm.customer.v1.CustomerService"))
    if method.name == "CreateCustomer"
]
THREADS = 2


def test_a_health_check_waits_for_no_call() -> None:
    gate, busy = threading.Event(), threading.Semaphore(0)

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        busy.release()
        gate.wait(30)
        return b""

    admission = Admission(THREADS, queue=THREADS, of_one=THREADS)
    entrance = Entrance(admission)
    entrance.add(COMMAND, grpc.unary_unary_rpc_method_handler(wait))
    server = grpc.server(admission, handlers=(entrance,))
    health = Health(experimental_non_blocking=True)
    health.set("crm.customer", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        command = channel.unary_unary(f"/{COMMAND.full_name}")
        calls = [command.future(b"", timeout=30) for _ in range(2 * THREADS)]
        for _ in range(THREADS):
            assert busy.acquire(timeout=30)
        check = health_pb2_grpc.HealthStub(channel).Check
        answer = check(health_pb2.HealthCheckRequest(service="crm.customer"), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert not any(call.done() for call in calls)
        gate.set()
        assert [call.result() for call in calls] == [b""] * len(calls)
    server.stop(None).wait()
