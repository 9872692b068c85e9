"""The keyring seen from other processes, plain and green."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.sealing import Sealer

GREEN = """
    import eventlet
    eventlet.monkey_patch()
    import sys
    from uuid import uuid4
    from kernel.sql.crypto.keyring import Keyring
    from kernel.sql.crypto.kms import FileProvider, KeyEncryption
    from kernel.sql.crypto.sealing import Sealer

    url, kek_file = sys.argv[1:]
    keyring = Keyring(url, KeyEncryption(FileProvider(kek_file)), cache_seconds=0)
    sealer = Sealer(keyring, installation="test", service="customer")

    def work(number):
        subject = uuid4()
        sealed = sealer.seal("people", subject, subject, {"number": number})
        return sealer.open("people", subject, subject, sealed)["number"]

    ticks = []
    def tick():
        while True:
            ticks.append(1)
            eventlet.sleep(0.001)
    eventlet.spawn(tick)
    assert list(eventlet.GreenPool(20).imap(work, range(100))) == list(range(100))
    # Another green thread ran while this one waited for the server.
    before = len(ticks)
    keyring._connections.run(lambda connection: connection.execute("select pg_sleep(0.5)").fetchone())
    assert len(ticks) - before > 20, len(ticks) - before
    keyring.close()
    print("sealed and opened", len(ticks) > 1)
"""


def test_green_threads_share_a_keyring_without_stopping_each_other(keyring_url: str, kek_path: Path) -> None:
    environment = os.environ | {"PSYCOPG_WAIT_FUNC": "wait_select", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(GREEN), keyring_url, str(kek_path)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "sealed and opened True\n"), done.stderr


READER = """
    import sys
    from uuid import UUID
    from kernel.sql.crypto.keyring import Keyring
    from kernel.sql.crypto.kms import FileProvider, KeyEncryption
    from kernel.sql.crypto.sealing import Sealer

    url, kek_file, subject, sealed = sys.argv[1:]
    keyring = Keyring(url, KeyEncryption(FileProvider(kek_file)))
    sealer = Sealer(keyring, installation="test", service="customer")
    subject = UUID(subject)
    keyring.poll_version()
    for line in sys.stdin:
        if line == "poll\\n":
            print(keyring.poll_version(), flush=True)
        else:
            print(sealer.open("people", subject, subject, bytes.fromhex(sealed)), flush=True)
    keyring.close()
"""


def test_a_destroyed_key_is_gone_in_another_process_after_its_poll(
    keyring: Keyring, sealer: Sealer, keyring_url: str, kek_path: Path
) -> None:
    subject = uuid4()
    sealed = sealer.seal("people", subject, subject, {"number": 7})
    arguments = [keyring_url, str(kek_path), str(subject), sealed.hex()]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(READER), *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as reader:  # fmt: skip
        assert reader.stdin is not None
        assert reader.stdout is not None

        def ask(what: str) -> str:
            reader.stdin.write(what + "\n")  # type: ignore[union-attr]
            reader.stdin.flush()  # type: ignore[union-attr]
            return reader.stdout.readline().strip()  # type: ignore[union-attr]

        assert ask("open") == "{'number': 7}"
        assert ask("poll") == "False"
        keyring.destroy([subject])
        assert ask("poll") == "True"
        assert ask("open") == "None"
        reader.stdin.close()
    assert reader.returncode == 0
