"""What every process of a service holds: settings, clock, database, keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

from kernel.ops.logs import logger
from kernel.ops.settings import Settings
from kernel.pure.clock import Clock, SystemClock
from kernel.pure.grants import Principal
from kernel.pure.paging import PageTokens
from kernel.sql import revisions
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.kms import FileProvider, KeyEncryption
from kernel.sql.crypto.orphans import Holders
from kernel.sql.engine import Reader, make_engine
from kernel.sql.uow import UnitOfWork

log = logger(__name__)


class App:
    """A service subclasses it in its wiring and adds what it needs; built once a process."""

    # Name of the service and of its package.
    service: ClassVar[str]
    # What it has sealed under keys of subjects; keys of others are swept.
    holders: ClassVar[Holders] = Holders()
    # Whether it is the service whose officers decide on data that rests, and therefore go on seeing it.
    decides_on_rest: ClassVar[bool] = False

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock(settings.zone)
        self.engine = make_engine(settings)
        self.reader = Reader(self.engine)
        keys = KeyEncryption(FileProvider(settings.kek_file))
        self.keyring = Keyring(settings.keyring_url.get_secret_value(), keys)
        # Lists without personal fields go on while the keyring is away.
        self.page_tokens = PageTokens(keys.derived(b"page tokens"))
        self._closing: list[Callable[[], None]] = [self.keyring.close, self.reader.close, self.engine.dispose]
        self._closed = threading.Event()

    def work(self, principal: Principal) -> UnitOfWork:
        """A new unit of work on behalf of `principal`; use it in a with statement."""
        return UnitOfWork(self, principal)

    def check_store(self) -> str | None:
        """None when the database answers and its schema is new enough; else what is wrong."""
        row = self.reader.row("select version_num from app.alembic_version")
        if row is None or row.version_num < self._head:
            return f"the schema is older than this code ({self._head}): run store upgrade"
        return None

    @cached_property
    def _head(self) -> str:
        """The newest revision this code knows. Revisions are numbered, so that a later one is greater:
        old code goes on running on a schema that was already expanded."""
        return revisions.head(self.service)

    def watch_keys(self) -> None:
        """Polls each second, in a daemon thread, whether keys were destroyed, and forgets them then."""
        threading.Thread(target=self._poll_keys, name="keys", daemon=True).start()

    def _poll_keys(self) -> None:
        while not self._closed.is_set():
            try:
                self.keyring.poll_version()
            except Exception as error:
                log.warning("keyring not heard", error=type(error).__name__)
                time.sleep(4)
            time.sleep(1)

    def on_close(self, do: Callable[[], None]) -> None:
        """Does something when the process ends in order, before what was registered earlier."""
        self._closing.insert(0, do)

    def close(self) -> None:
        """Ends what was opened."""
        self._closed.set()
        for do in self._closing:
            do()
