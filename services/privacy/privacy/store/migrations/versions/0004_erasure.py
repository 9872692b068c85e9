"""Requests to erase, what was done for them, holds against them, and whose data rests."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
create table erasures (
    id             uuid primary key,
    customer_id    uuid not null,
    subject_ids    uuid[] not null,
    state          text not null,
    attempt        integer not null,
    check_from     integer not null,
    tries          integer not null,
    -- By participant: state, attempts that found something or nothing, counts, retained.
    tasks          jsonb not null,
    evidence       text not null,
    refusal_code   text not null,
    refusal_reason text not null,
    received_at    timestamptz not null,
    due_at         timestamptz not null,
    closed_at      timestamptz,
    certificate    text
);
-- One open request a person.
create unique index erasures_open on erasures (customer_id) where state not in ('closed', 'refused');
create index erasures_by_subject on erasures using gin (subject_ids) where state not in ('closed', 'refused');

-- Every step and every receipt, late ones too.
create table erasure_log (
    id         uuid primary key,
    erasure_id uuid not null,
    at         timestamptz not null,
    what       text not null,
    facts      jsonb not null
);
create index erasure_log_by_erasure on erasure_log (erasure_id, id);
create trigger append_only before update or delete or truncate on erasure_log
    for each statement execute function refuse_audit_change();

create table holds (
    id         uuid primary key,
    subject_id uuid not null,
    reason     text not null,
    -- The last day; null until lifted.
    until      date,
    placed_at  timestamptz not null,
    lifted_at  timestamptz
);
create index holds_in_force on holds (subject_id) where lifted_at is null;

create table restrictions (
    subject_id uuid primary key,
    version    integer not null,
    restricted boolean not null
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
