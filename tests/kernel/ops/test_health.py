"""The ops address of a process answers while a check waits."""

from __future__ import annotations

import threading
import urllib.request

from kernel.ops import health
from tests.support.servers import eventually, free_port


def test_a_check_that_waits_keeps_nobody_from_hearing_that_the_process_lives() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def check() -> str | None:
        asked.set()
        go_on.wait(30)
        return None

    address = f"127.0.0.1:{free_port()}"
    health.serve(address, {"store": check})
    answers: list[int] = []

    def ask(path: str) -> int:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return int(answer.status)

    waiting = threading.Thread(target=lambda: answers.append(ask("/readyz")))
    waiting.start()
    assert asked.wait(10)
    assert ask("/healthz") == 200
    assert ask("/metrics") == 200
    assert answers == []
    go_on.set()
    eventually(lambda: answers == [200])
    waiting.join()
