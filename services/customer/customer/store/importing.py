"""What importing works with, besides an open unit of work."""

from __future__ import annotations

from customer.store.indexing import Indexer
from customer.store.marks import Marks
from customer.store.staging import Stager
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer


class Importing:
    """Made once a process. `file_sealer` seals files, each under a key of its own."""

    def __init__(self, app: App, sealer: Sealer, indexer: Indexer, file_sealer: Sealer) -> None:
        self.file_sealer = file_sealer
        self.marks = Marks(app.keyring)
        self.stager = Stager(app.reader, indexer, sealer, app.clock)
