"""Purposes, notices, the ledger of consents with its last words, and the persons there are."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0002"
down_revision = "0001"

TABLES = """
create table purposes (
    id         text primary key,
    title_zh   text not null,
    title_en   text not null,
    basis      text not null,
    created_at timestamptz not null default now()
);
-- Service of the contract itself, and advertising: every installation has these two.
insert into purposes (id, title_zh, title_en, basis) values
    ('service', '履行服务', 'Service', 'contract'),
    ('marketing', '营销推广', 'Marketing', 'consent');

create table notices (
    id            uuid primary key,
    purpose_id    text not null references purposes,
    version       integer not null,
    -- Of the last major notice up to this one.
    major_version integer not null,
    text_zh       text not null,
    text_en       text not null,
    sha256        bytea not null,
    published_at  timestamptz not null,
    unique (purpose_id, version)
);

-- The ledger. It names persons by a keyed hash: it is found by whoever knows the person's id, and
-- outlives an erasure without telling anybody who it was.
create table consent_events (
    id            uuid primary key,
    subject_ref   bytea not null,
    purpose_id    text not null references purposes,
    channel       text not null,
    state         text not null check (state in ('granted', 'refused', 'withdrawn', 'expired')),
    effective_at  timestamptz not null,
    expires_at    timestamptz,
    via           text not null,
    proof         jsonb not null,
    notice_id     uuid references notices,
    major_version integer not null,
    separate      boolean not null,
    actor_kind    text not null,
    actor_id      text not null,
    recorded_at   timestamptz not null
);
create index consent_events_by_subject on consent_events (subject_ref, id desc);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger of consents is only added to';
end $$;
create trigger append_only before update or delete or truncate on consent_events
    for each statement execute function refuse_change();

-- The last word of each person on each purpose and channel: what the ledger says, ready to be asked.
create table consents (
    subject_id    uuid not null,
    purpose_id    text not null,
    channel       text not null,
    version       integer not null,
    event_id      uuid not null,
    state         text not null,
    -- Of two at the same instant the greater weight decides.
    weight        smallint not null,
    effective_at  timestamptz not null,
    expires_at    timestamptz,
    major_version integer not null,
    primary key (subject_id, purpose_id, channel)
);

-- Projection of the customer service: the persons whose data is stored, and by whom they are seen.
create table persons (
    person_id        uuid primary key,
    version          integer not null,
    owner_id         uuid,
    collaborator_ids uuid[] not null default '{}',
    deleted          boolean not null
);
create index persons_by_owner on persons (owner_id);

-- Projection of the customer service: by whom a merged person is read.
create table links (
    customer_id uuid primary key,
    -- Null for one that stands for itself again.
    survivor_id uuid,
    version     integer not null
);
create index links_by_survivor on links (survivor_id);
"""


def upgrade() -> None:
    execute_ddl(op, "0003_privacy")
    op.get_bind().exec_driver_sql(TABLES)
