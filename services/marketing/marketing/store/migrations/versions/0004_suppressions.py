"""Addresses that are not written to, and where each message went, both as keyed hashes."""

from alembic import op

revision = "0004"
down_revision = "0003"

SUPPRESSIONS = """
create table suppressions (
    id         uuid primary key,
    channel    text not null,
    -- '' for every purpose.
    purpose    text not null,
    address    bytea not null,
    reason     text not null,
    created_at timestamptz not null,
    actor_id   text not null,
    unique (channel, purpose, address)
);

-- The keyed hash of the address it was attempted at: null before, and of persons who were erased.
alter table messages add column address bytea;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SUPPRESSIONS)
