"""Users, teams, roles, service accounts, sessions, signing keys."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0001"
down_revision = None

TABLES = """
-- The tree of teams, which the table teams of every service is a projection of.
create table team_tree (
    id         uuid primary key,
    version    integer not null,
    name       text not null,
    -- From the root down to and including the team itself.
    path       uuid[] not null check (path[cardinality(path)] = id)
);
create index team_tree_by_path on team_tree using gin (path);

create table roles (
    id       text primary key,
    title_en text not null,
    title_zh text not null,
    -- [{"permission": "sales.orders.read", "scope": 2}, ...]
    grants   jsonb not null,
    preset   boolean not null
);

create table users (
    id            uuid primary key,
    version       integer not null,
    login         text not null unique,
    -- Display name, sealed under the user's key; null for none.
    sealed        bytea,
    team_id       uuid references team_tree,
    role_ids      text[] not null,
    disabled      boolean not null,
    -- Argon2id with its parameters and salt.
    password_hash text not null,
    created_at    timestamptz not null
);
create index users_by_team on users (team_id);

create table service_accounts (
    id            uuid primary key,
    name          text not null,
    role_ids      text[] not null,
    disabled      boolean not null,
    secret_digest bytea not null,
    created_at    timestamptz not null
);

create table sessions (
    id         uuid primary key,
    user_id    uuid not null references users,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at   timestamptz
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);
create index sessions_by_end on sessions (ended_at) where ended_at is not null;

-- Used ones stay until they expire, so that a copy is recognised.
create table refresh_tokens (
    digest     bytea primary key,
    session_id uuid not null references sessions on delete cascade,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create index refresh_tokens_by_expiry on refresh_tokens (expires_at);

-- Access tokens of a user, service account or session issued until an instant are void.
create table revocations (
    subject_id    uuid primary key,
    issued_before timestamptz not null
);
create index revocations_by_instant on revocations (issued_before);

create table signing_keys (
    kid        text primary key,
    x          text not null,
    y          text not null,
    signs_from timestamptz not null,
    -- The private key, sealed under a key of the service's keyring.
    sealed     bytea not null
);
"""


def upgrade() -> None:
    execute_ddl(op, "0001_kernel")
    execute_ddl(op, "0002_jobs")
    op.get_bind().exec_driver_sql(TABLES)
