"""Exports: files on their way out."""

from alembic import op

revision = "0003"
down_revision = "0002"

EXPORTS = """
-- Versions of the rules; the newest is in force.
create table export_policies (
    version               integer primary key,
    rows_without_approval integer not null,
    created_at            timestamptz not null default now(),
    actor_id              text not null default ''
);
insert into export_policies (version, rows_without_approval) values (1, 10000);

create table exports (
    id             uuid primary key,
    owner_id       uuid not null,
    state          text not null,
    options        jsonb not null,
    principal      jsonb not null,
    rows_total     integer not null,
    rows_done      integer not null default 0,
    -- How many rows its owner might still export without approval when it was started.
    allowance      integer not null,
    policy_version integer not null references export_policies,
    size           bigint not null default 0,
    -- The last customer written, and what the format needs to go on behind it.
    after          text not null default '',
    form           jsonb not null default '{}',
    personal       boolean not null default false,
    approver_id    uuid,
    -- Failures since the last step that succeeded.
    failures       integer not null default 0,
    error          text not null default '',
    manifest       bytea,
    signature      bytea,
    created_at     timestamptz not null,
    ended_at       timestamptz,
    expires_at     timestamptz not null
);
create index exports_by_owner on exports (owner_id, id desc);
create index exports_open on exports (state, rows_done, id) where state in ('running', 'awaiting_approval');

-- Parts of files sealed under the file's own key in the keyring (subject id = export id).
create table export_chunks (
    export_id uuid not null references exports on delete cascade,
    starts_at bigint not null,
    length    integer not null,
    sealed    bytea not null,
    primary key (export_id, starts_at)
);
-- It is sealed, hence random: packing it again would gain nothing.
alter table export_chunks alter column sealed set storage external;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(EXPORTS)
