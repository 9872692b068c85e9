"""The kernel's tables, as statements need them. Their definition is ddl/0001_kernel.sql."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_instant = DateTime(timezone=True)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("id", Uuid),
    Column("type", Text),
    Column("body", Text),
    Column("recorded_at", _instant),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", _instant),
    Column("actor_kind", Text),
    Column("actor_id", Text),
    Column("action", Text),
    Column("object_type", Text),
    Column("object_id", Text),
    Column("facts", JSONB),
    Column("trace_id", Text),
)

inbox = Table(
    "inbox",
    metadata,
    Column("handler", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("handled_at", _instant),
)

timers = Table(
    "timers",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_at", _instant),
    Column("payload", JSONB),
    Column("attempts", Integer),
    Column("last_error", Text),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("request_id", Uuid, primary_key=True),
    Column("request_mac", LargeBinary),
    Column("day", Date),
    Column("answer", LargeBinary),
    Column("subject_ids", ARRAY(Uuid)),
    Column("erased", Boolean),
    Column("created_at", _instant),
)

staff = Table(
    "staff",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("team_id", Uuid),
)
