"""The audit rows of all services, as they were sealed."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
create table sealed_entries (
    service     text not null,
    position    bigint not null,
    hash        bytea not null,
    id          uuid not null,
    at          timestamptz not null,
    actor_kind  text not null,
    actor_id    text not null,
    action      text not null,
    object_type text not null,
    object_id   text not null,
    -- As text: it is hashed as it was told.
    facts       text not null,
    trace_id    text not null,
    primary key (service, position)
);
create index sealed_entries_newest on sealed_entries (at desc, service, position desc);
create index sealed_entries_by_object on sealed_entries (object_id, at desc);
create index sealed_entries_by_actor on sealed_entries (actor_id, at desc);

create table sealed_checkpoints (
    service   text not null,
    position  bigint not null,
    hash      bytea not null,
    signed_at timestamptz not null,
    key_id    text not null,
    signature bytea not null,
    primary key (service, position)
);

-- The key each service signs with, as first heard: another one is not believed.
create table seal_keys (
    service    text primary key,
    public_key bytea not null,
    heard_at   timestamptz not null default now()
);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'what was audited is only added to';
end $$;
create trigger append_only before update or delete or truncate on sealed_entries
    for each statement execute function refuse_audit_change();
create trigger append_only before update or delete or truncate on sealed_checkpoints
    for each statement execute function refuse_audit_change();
create trigger append_only before update or delete or truncate on seal_keys
    for each statement execute function refuse_audit_change();
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
