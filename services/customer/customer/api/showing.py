"""Customers as answers show them: opened, with what they absorbed, masked for the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from crm.customer.v1 import customer_pb2 as pb
from customer.api import translate
from customer.store import queries
from customer.store.composing import compose
from customer.wiring import CustomerApp
from kernel.rpc.call import Call
from kernel.sql.engine import Reader


class Showing:
    """Servicers that answer customers."""

    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def _written(self, customer_id: UUID, call: Call) -> pb.Customer:
        """A customer that this call has changed, as the caller may see it."""
        row = queries.just_written(call.work.reader, call.principal, customer_id)
        return self._shown(call.work.reader, row)

    def _shown(self, reader: Reader, row: Any) -> pb.Customer:
        """The message of one row of customers."""
        return self._all_shown(reader, [row])[0]

    def _all_shown(self, reader: Reader, rows: Sequence[Any], impersonal: bool = False) -> list[pb.Customer]:
        """The messages of rows of customers, in order; `impersonal` leaves out what is sealed."""
        documents = [None] * len(rows) if impersonal else queries.open_documents(self._app.sealer, rows)
        if any(row.absorbs for row in rows):
            rows, documents = compose(reader, self._app.sealer, rows, documents)
        return [translate.customer(row, document) for row, document in zip(rows, documents, strict=True)]
