"""Whose keys seal what, table by table; a new table with a column `sealed` is named here."""

from __future__ import annotations

from kernel.sql.crypto.orphans import Holders

HOLDERS = Holders(
    {
        "operational": {
            "tickets": "select sealed_for as id from tickets where sealed_for = any(%(ids)s)",
            "messages": "select sealed_for as id from messages where sealed_for = any(%(ids)s)",
            "surveys": "select sealed_for as id from surveys where sealed_for = any(%(ids)s)",
        },
        "file": {"mails": "select id from mails where id = any(%(ids)s)"},
    }
)
