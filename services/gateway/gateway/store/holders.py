"""Whose keys seal what, table by table; a new table with a column `sealed` is named here."""

from __future__ import annotations

from kernel.sql.crypto.orphans import Holders

HOLDERS = Holders(
    {"operational": {"users": "select id from users where id = any(%(ids)s)"}},
    otherwise=("signing_keys",),
)
