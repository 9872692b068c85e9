"""Whose keys seal what, table by table; a new table with a column `sealed` is named here."""

from __future__ import annotations

from kernel.sql.crypto.orphans import Holders
from sales.usecases.ports import CONTRACT_KEYS, OPERATIONAL_KEYS

# Filled-in forms are sealed under keys of this class, one each.
INTAKE = "intake"

_DOCUMENTS = {
    "documents": "select customer_id as id from documents where customer_id = any(%(ids)s)",
    # Chunks of documents, under the keys of these.
    "document_chunks": "select d.customer_id as id from documents d join document_chunks c"
    " on c.document_id = d.id where d.customer_id = any(%(ids)s)",
}
HOLDERS = Holders(
    {
        OPERATIONAL_KEYS: {
            "leads": "select customer_id as id from leads where customer_id = any(%(ids)s)",
            "follow_ups": "select customer_id as id from follow_ups where customer_id = any(%(ids)s)",
            **_DOCUMENTS,
        },
        CONTRACT_KEYS: {
            "contracts": "select customer_id as id from contracts where customer_id = any(%(ids)s)",
            **_DOCUMENTS,
        },
        INTAKE: {"submissions": "select id from submissions where id = any(%(ids)s)"},
    }
)
