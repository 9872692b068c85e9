"""The archive grows: collaborators, deletion, history, finding, duplicates and merging, timeline,
relations, imports."""

from alembic import op

revision = "0002"
down_revision = "0001"

CUSTOMERS = """
alter table customers
    add column collaborator_ids uuid[] not null default '{}',
    -- Hidden since; purged 30 days later.
    add column deleted_at timestamptz,
    -- The customer this one is read through; null when it stands for itself. Always the last one of a
    -- chain, never a link in between.
    add column survivor_id uuid references customers,
    -- Grows with every change of the link.
    add column link_version integer not null default 0,
    -- What may be looked for: blind tokens of the names (kernel.pure.tokens), in the service's own index.
    add column name_tokens bigint[] not null default '{}',
    -- Its rows of match_keys, for taking them out again.
    add column match_keys bigint[] not null default '{}';
-- Most customers have none, and need no place in it; asked for with the same condition.
create index customers_by_collaborator on customers using gin (collaborator_ids) with (fastupdate = off)
    where collaborator_ids <> '{}';
create index customers_by_name on customers using gin (name_tokens);
create index customers_by_update on customers (updated_at desc, id desc);
create index customers_absorbed on customers (survivor_id) where survivor_id is not null;
create index customers_deleted on customers (deleted_at) where deleted_at is not null;

-- The state that each change produced, with who made it.
create table customer_versions (
    customer_id    uuid not null references customers,
    version        integer not null,
    -- When and by whom this version came about, and how.
    at             timestamptz not null,
    actor_id       text not null,
    action         text not null,
    changed_fields text[] not null,
    -- The state as of this version; the personal part sealed as in customers.
    profile        jsonb not null,
    sealed         bytea,
    primary key (customer_id, version)
);
"""

MATCHING = """
-- Blind tokens under which a customer meets others that may be the same, phones and e-mails among them.
-- Neither a foreign key nor a second index: both would take as long as storing the key.
create table match_keys (
    key         bigint not null,
    customer_id uuid not null
);
create index match_keys_by_key on match_keys (key);

create table merges (
    id          bigint generated always as identity primary key,
    absorbed_id uuid not null,
    survivor_id uuid not null,
    undone      boolean not null,
    at          timestamptz not null,
    actor_id    text not null
);
create index merges_by_absorbed on merges (absorbed_id, id);
create index merges_by_survivor on merges (survivor_id, id);

create table duplicate_pairs (
    first_id  uuid not null references customers on delete cascade,
    second_id uuid not null references customers on delete cascade,
    decision  text not null check (decision in ('same', 'possible')),
    score     double precision not null,
    reasons   jsonb not null,
    state     text not null check (state in ('open', 'merged', 'dismissed')),
    found_at  timestamptz not null,
    primary key (first_id, second_id),
    check (first_id < second_id)
);
create index duplicate_pairs_open on duplicate_pairs (score desc, first_id, second_id) where state = 'open';
create index duplicate_pairs_by_second on duplicate_pairs (second_id);

create table duplicate_scans (
    id              uuid primary key,
    state           text not null,
    merge           boolean not null,
    principal       jsonb not null,
    -- The last customer looked at: where a restart goes on.
    after_id        uuid,
    customers_seen  integer not null default 0,
    customers_total integer not null default 0,
    pairs_same      integer not null default 0,
    pairs_possible  integer not null default 0,
    merged          integer not null default 0,
    created_at      timestamptz not null,
    ended_at        timestamptz
);
"""

TIMELINE = """
create table interactions (
    id          uuid primary key,
    customer_id uuid not null references customers,
    kind        text not null,
    channel     text not null,
    occurred_at timestamptz not null,
    -- The words, sealed under the customer's key; null when there are none.
    sealed      bytea,
    -- A company is no data subject: its words stand in clear.
    content     text,
    actor_id    text not null,
    created_at  timestamptz not null
);
create index interactions_by_customer on interactions (customer_id, occurred_at desc, id desc);

create table class_changes (
    id             bigint generated always as identity primary key,
    customer_id    uuid not null references customers,
    scheme         text not null,
    class          text not null,
    previous_class text not null,
    at             timestamptz not null
);
create index class_changes_by_customer on class_changes (customer_id, at desc, id desc);

create table relations (
    id         uuid primary key,
    kind       text not null,
    from_id    uuid not null references customers,
    to_id      uuid not null references customers,
    role       text not null,
    is_primary boolean not null,
    created_at timestamptz not null,
    unique (from_id, to_id, kind)
);
create index relations_by_to on relations (to_id);
create unique index relations_one_primary on relations (to_id, kind) where is_primary;
"""

IMPORTS = """
create table uploads (
    id         uuid primary key,
    owner_id   uuid not null,
    file_name  text not null,
    size       bigint not null,
    received   bigint not null default 0,
    expires_at timestamptz not null,
    created_at timestamptz not null
);
create index uploads_expired on uploads (expires_at);

-- Chunks sealed under the file's own key in the keyring (subject id = upload id).
create table upload_chunks (
    upload_id uuid not null references uploads on delete cascade,
    starts_at bigint not null,
    length    integer not null,
    sealed    bytea not null,
    primary key (upload_id, starts_at)
);

create table import_mappings (
    owner_id   uuid not null,
    -- Hash of the column headers in their order.
    columns_mac bytea not null,
    kind       text not null,
    columns    jsonb not null,
    saved_at   timestamptz not null,
    primary key (owner_id, columns_mac, kind)
);

create table imports (
    id             uuid primary key,
    upload_id      uuid not null,
    file_name      text not null,
    owner_id       uuid not null,
    state          text not null,
    options        jsonb not null,
    principal      jsonb not null,
    rows_read      integer not null default 0,
    rows_created   integer not null default 0,
    rows_merged    integer not null default 0,
    rows_unchanged integer not null default 0,
    rows_refused   integer not null default 0,
    bytes_read     bigint not null default 0,
    bytes_total    bigint not null,
    -- Failures since the last step that succeeded.
    failures       integer not null default 0,
    error          text not null default '',
    created_at     timestamptz not null,
    ended_at       timestamptz
);
create index imports_by_owner on imports (owner_id, id desc);

-- The row report: refused and merged rows only. No values of the file, only names of columns and rules.
create table import_rows (
    import_id   uuid not null references imports on delete cascade,
    line        integer not null,
    outcome     text not null,
    customer_id uuid,
    problems    jsonb not null,
    primary key (import_id, line)
);
"""


def upgrade() -> None:
    for statements in (CUSTOMERS, MATCHING, TIMELINE, IMPORTS):
        op.get_bind().exec_driver_sql(statements)
