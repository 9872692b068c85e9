"""The gateway's tables, as statements need them. Their definition is in the migrations."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_instant = DateTime(timezone=True)

team_tree = Table(
    "team_tree",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("name", Text),
    Column("path", ARRAY(Uuid)),
)

roles = Table(
    "roles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title_en", Text),
    Column("title_zh", Text),
    Column("grants", JSONB),
    Column("preset", Boolean),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("login", Text),
    Column("sealed", LargeBinary),
    Column("team_id", Uuid),
    Column("role_ids", ARRAY(Text)),
    Column("disabled", Boolean),
    Column("password_hash", Text),
    Column("password_given", Boolean),
    Column("created_at", _instant),
    Column("customer_id", Uuid),
)

service_accounts = Table(
    "service_accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("role_ids", ARRAY(Text)),
    Column("disabled", Boolean),
    Column("secret_digest", LargeBinary),
    Column("previous_secret_digest", LargeBinary),
    Column("previous_secret_until", _instant),
    Column("created_at", _instant),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject_digest", LargeBinary, primary_key=True),
    Column("user_id", Uuid),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid),
    Column("created_at", _instant),
    Column("expires_at", _instant),
    Column("ended_at", _instant),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_id", Uuid),
    Column("expires_at", _instant),
    Column("used_at", _instant),
)

revocations = Table(
    "revocations",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("issued_before", _instant),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("x", Text),
    Column("y", Text),
    Column("signs_from", _instant),
    Column("sealed", LargeBinary),
)
