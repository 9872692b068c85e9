-- What every service holds of privacy: whose data must rest, whose is gone, and the chain that makes
-- its audit rows tamper-evident.

-- Persons whose data may be stored and no longer used, as the privacy service told.
create table restricted_subjects (
    subject_id uuid primary key,
    version    integer not null,
    restricted boolean not null
);

-- Keyed hashes of persons whose data was erased here: late events about them are recognised and dropped.
create table erased_subjects (
    mac        bytea primary key,
    request_id uuid not null,
    erased_at  timestamptz not null default now()
);

-- Audit rows that are committed and not yet in the chain. A row that commits late is simply found later.
create table audit_unsealed (
    audit_id uuid primary key
);

create function audit_wants_seal() returns trigger language plpgsql as $$
begin
    insert into audit_unsealed (audit_id) select id from written;
    return null;
end $$;

create trigger audit_written after insert on audit
    referencing new table as written
    for each statement execute function audit_wants_seal();

-- The chain: each link is the hash of the one before it and of its audit row.
create table audit_chain (
    position bigint primary key,
    audit_id uuid not null unique,
    hash     bytea not null
);

-- Signatures over the chain up to a position.
create table audit_checkpoints (
    position  bigint primary key,
    hash      bytea not null,
    signed_at timestamptz not null,
    key_id    text not null,
    signature bytea not null
);

-- What was audited before there was a chain is sealed too.
insert into audit_unsealed (audit_id) select id from audit;
