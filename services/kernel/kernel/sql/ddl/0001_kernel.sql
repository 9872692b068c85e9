-- Tables that every service has, in schema app. A released file never changes: later changes are
-- files of their own, each executed by one migration of each service.

-- Facts not yet confirmed by the broker; the relay deletes a row in the transaction that follows
-- its confirm.
create table outbox (
    seq         bigint generated always as identity primary key,
    id          uuid not null,
    type        text not null,
    body        text not null,
    recorded_at timestamptz not null default now()
);

create function outbox_notify() returns trigger language plpgsql as $$
begin
    perform pg_notify('outbox', '');
    return null;
end $$;

create trigger outbox_inserted after insert on outbox
    for each statement execute function outbox_notify();

-- Events that took effect here: one row a handler, in the transaction of the effect.
create table inbox (
    handler    text not null,
    event_id   uuid not null,
    handled_at timestamptz not null default now(),
    primary key (handler, event_id)
);
create index inbox_handled_at on inbox (handled_at);

-- What must happen at an instant. The row is deleted in the transaction of its effect.
create table timers (
    kind       text not null,
    key        text not null,
    due_at     timestamptz not null,
    payload    jsonb not null default '{}',
    attempts   integer not null default 0,
    last_error text,
    primary key (kind, key)
);
create index timers_due_at on timers (due_at);

-- Answers to commands that carried a request id, sealed under the key of their day.
create table idempotency (
    caller      text not null,
    method      text not null,
    request_id  uuid not null,
    request_mac bytea not null,
    day         date not null,
    answer      bytea,
    created_at  timestamptz not null default now(),
    primary key (caller, method, request_id)
);
create index idempotency_created_at on idempotency (created_at);

-- Who did what to which record. Append only; no personal data.
create table audit (
    id          uuid primary key,
    at          timestamptz not null,
    actor_kind  text not null,
    actor_id    text not null,
    action      text not null,
    object_type text not null,
    object_id   text not null,
    facts       jsonb not null default '{}',
    trace_id    text
);
create index audit_object on audit (object_type, object_id, at);

-- Projection of the gateway's directory: who belongs to which team.
create table staff (
    user_id  uuid primary key,
    version  integer not null,
    team_id  uuid,
    disabled boolean not null default false
);
create index staff_team on staff (team_id);

create table teams (
    team_id uuid primary key,
    version integer not null,
    path    uuid[] not null
);
create index teams_path on teams using gin (path);
