"""Whose keys seal what, table by table; a new table with a column `sealed` is named here."""

from __future__ import annotations

from kernel.sql.crypto.orphans import Holders

# Persons whose customer is there, deleted or erased, keep what keys they have.
HOLDERS = Holders(
    {
        "operational": {
            "customers": "select id from customers where id = any(%(ids)s)",
            "customer_versions": "select customer_id as id from customer_versions"
            " where customer_id = any(%(ids)s)",
            "interactions": "select customer_id as id from interactions where customer_id = any(%(ids)s)",
        },
        "file": {
            "uploads": "select id from uploads where id = any(%(ids)s)",
            "upload_chunks": "select upload_id as id from upload_chunks where upload_id = any(%(ids)s)",
            "upload_heads": "select upload_id as id from upload_heads where upload_id = any(%(ids)s)",
            "exports": "select id from exports where id = any(%(ids)s)",
            "export_chunks": "select export_id as id from export_chunks where export_id = any(%(ids)s)",
        },
    }
)
