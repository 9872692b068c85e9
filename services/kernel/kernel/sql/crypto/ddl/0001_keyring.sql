-- The keyring of one service: every key that opens what its database holds sealed. It lives in a
-- cluster of its own. A released file never changes: later changes are files of their own.

-- Keys of persons: random, one for each (subject, class), wrapped by a key-encryption key.
-- touched_at: when somebody last asked for the key in order to write; orphans are swept by it.
create table app.subject_keys (
    subject_id  uuid not null,
    key_class   text not null,
    key_id      bytea not null check (octet_length(key_id) = 8),
    kek_version text not null,
    wrapped     bytea not null,
    touched_at  timestamptz not null default now(),
    primary key (subject_id, key_class)
);
create index subject_keys_touched_at on app.subject_keys (touched_at, subject_id, key_class);

-- Keyed hashes of erased subjects, so that late writes for them are recognised.
create table app.tombstones (
    mac          bytea primary key,
    destroyed_at timestamptz not null default now()
);

-- Keys of the service itself: blind indexes, days of the idempotency store, the tombstones' hash.
create table app.service_keys (
    purpose     text not null,
    version     text not null,
    kek_version text not null,
    wrapped     bytea not null,
    created_at  timestamptz not null default now(),
    primary key (purpose, version)
);

-- One row. `version` counts destructions: each process polls it and forgets its keys on a change.
create table app.keyring_state (
    only_row               boolean primary key default true check (only_row),
    version                bigint not null default 1,
    days_destroyed_before  date not null default '-infinity'
);
insert into app.keyring_state default values;
